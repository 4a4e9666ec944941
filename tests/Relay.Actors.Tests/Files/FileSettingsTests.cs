using Relay.Actors.Files;
using Relay.Actors.Tests.Harness;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Tests.Files;

/// <summary>What operators set: limits, life and links.</summary>
public sealed class FileSettingsTests
{
    [Fact]
    public async Task The_limits_and_the_life_are_those_of_the_settings_on_both_sides()
    {
        var settings = new FileSettings
        {
            MaxFileBytes = 10, Life = TimeSpan.FromHours(1), Quota = FileQuota.Default with { ConversationFiles = 2 },
        };
        await using var pair = await FilePair.ConnectAsync(new FilePair { B = new TestRelay { Options = new RelayNodeOptions { Files = settings } } });
        await pair.SendAsync(new byte[10]);
        var taken = await FilePair.ToldAsync(pair.B);
        Assert.Equal(TimeSpan.FromHours(1), taken.Expires - taken.Created);
        // A larger one is told as a notice, and is not kept.
        await pair.SendAsync(new byte[11]);
        Assert.Equal("FILE_NOT_OFFERED", (await FilePair.EventsAsync(pair.B)).OfType<OutboxBody.Notice>().Single().Code);
        Assert.Single((await pair.B.Relay.Files.ListAsync(TestRelay.Endpoint, null, 9, default)).Files);

        var ours = pair.Description(11, "n", "r") with { ConversationId = pair.B.Relay.ConversationId(TestRelay.Endpoint, TestRelay.Peer) };
        await Assert.ThrowsAsync<ArgumentException>(() => pair.B.Relay.Files.CreateAsync(ours, default).AsTask());
        var made = FilePair.Done(await pair.B.Relay.Files.CreateAsync(ours with { Size = 10 }, default));
        Assert.Equal(TimeSpan.FromHours(1), made.Expires - made.Created);
        Assert.IsType<FileReply.Full>(await pair.B.Relay.Files.CreateAsync(ours with { Size = 1, RequestId = "s" }, default));
    }

    /// <summary>A peer cannot fill an endpoint: what has no room is not kept, and what was there stays as it was.</summary>
    [Fact]
    public async Task Offers_beyond_the_number_have_no_effect_until_there_is_room()
    {
        var settings = new FileSettings { Quota = FileQuota.Default with { ConversationFiles = 2 } };
        await using var pair = await FilePair.ConnectAsync(new FilePair { B = new TestRelay { Options = new RelayNodeOptions { Files = settings } } });
        var blobs = new List<byte[]>();
        for (int i = 0; i < 3; i++) blobs.Add(await pair.BlobAsync((await pair.SendAsync([(byte)i])).Id));
        var files = pair.B.Relay.Files;
        Assert.Equal(blobs[..2].Select(pair.IncomingId).Order(), (await files.ListAsync(TestRelay.Endpoint, null, 9, default)).Files.Select(f => f.Id).Order());
        Assert.IsType<FileReply.NotFound>(await pair.BringAsync(blobs[2], pair.IncomingId(blobs[2])));
        Assert.IsType<FileReply.Done>(await pair.BringAsync(blobs[0], pair.IncomingId(blobs[0])));
        Assert.Equal([0], await pair.DownloadAsync(pair.IncomingId(blobs[0])));

        await files.DeleteAsync(TestRelay.Endpoint, pair.IncomingId(blobs[1]), default);
        var next = await pair.BlobAsync((await pair.SendAsync([9])).Id);
        Assert.Equal(FileState.Received, FilePair.Done(await pair.BringAsync(next, pair.IncomingId(next))).State);
    }

    [Theory]
    [InlineData(150, long.MaxValue)]
    [InlineData(long.MaxValue, 150)]
    public async Task Blobs_beyond_the_bytes_of_the_peer_or_the_endpoint_have_no_effect_until_there_is_room(long perPeer, long perEndpoint)
    {
        var settings = new FileSettings { Quota = FileQuota.Default with { ConversationBytes = perPeer, Bytes = perEndpoint } };
        await using var pair = await FilePair.ConnectAsync(new FilePair { B = new TestRelay { Options = new RelayNodeOptions { Files = settings } } });
        var first = await pair.BlobAsync((await pair.SendAsync(new byte[100])).Id);
        var second = await pair.BlobAsync((await pair.SendAsync(new byte[51])).Id);
        FilePair.Done(await pair.BringAsync(first, pair.IncomingId(first)));
        var id = pair.IncomingId(second);
        Assert.IsType<FileReply.Full>(await pair.BringAsync(second, id));
        var unchanged = FilePair.Done(await pair.B.Relay.Files.GetAsync(TestRelay.Endpoint, id, default));
        Assert.Equal((FileState.Offered, 0L, FileCipher.HeaderSize), (unchanged.State, unchanged.BlobStored, unchanged.NextBlobPart));
        await pair.B.Relay.Files.DeleteAsync(TestRelay.Endpoint, pair.IncomingId(first), default);
        Assert.Equal(FileState.Received, FilePair.Done(await pair.BringAsync(second, id)).State);
    }

    /// <summary>Otherwise the key of a file would go where text may not.</summary>
    [Fact]
    public async Task Where_text_goes_to_trusted_keys_only_an_offer_does_too()
    {
        var a = new TestRelay { Policy = Otr.Core.OtrPolicy.Managed, TrustRequirement = Otr.Core.TrustRequirement.Always };
        await using var pair = await FilePair.ConnectAsync(new FilePair { A = a });
        var file = await pair.CreateAsync(1);
        await pair.UploadAsync(file.Id, [7]);
        var refused = Assert.IsType<FileReply.NotOffered>(await pair.CompleteAsync(file.Id)).Reply;
        Assert.Equal(Otr.Core.RefusalReason.NotTrusted, Assert.IsType<ConversationReply.Refused>(refused).Reason);
        Assert.Equal(FileState.Uploading, FilePair.Done(await a.Relay.Files.GetAsync(TestRelay.Endpoint, file.Id, default)).State);
        Assert.DoesNotContain(await a.ReadAsync(TestRelay.Wire), i => i.Body is OutboxBody.WireText { File.Length: > 0 });
        await a.AskAsync(new Command.SetTrust(pair.Request(), TestKeys.Copy(1).PublicKey.Fingerprint, Otr.Core.TrustLevel.Verified, null));
        Assert.Equal(FileState.Sent, FilePair.Done(await pair.CompleteAsync(file.Id)).State);
    }

    [Fact]
    public async Task An_offer_has_the_link_of_its_file_and_no_other_token_opens_it()
    {
        var settings = new FileSettings { PublicUrl = "https://files.example.org/relay" };
        await using var pair = await FilePair.ConnectAsync(new FilePair { A = new TestRelay { Policy = Otr.Core.OtrPolicy.Managed, Options = new RelayNodeOptions { Files = settings } } });
        var sent = await pair.SendAsync([1]);
        var files = pair.A.Relay.Files;
        Assert.StartsWith("https://files.example.org/relay/files/", sent.Url, StringComparison.Ordinal);
        Assert.Equal(sent.Url, files.Link(TestRelay.Endpoint, sent.Id));
        Assert.Equal(sent.Url, (await FilePair.ToldAsync(pair.B)).Url);
        Assert.Null(pair.B.Relay.Files.Link(TestRelay.Endpoint, sent.Id));

        var token = sent.Url[(sent.Url.LastIndexOf('/') + 1)..];
        Assert.Equal((TestRelay.Endpoint, sent.Id), files.TryOpenLink(token));
        var other = (await pair.SendAsync([1])).Url;
        // Another file's MAC, another endpoint's file, another server's token, and each character changed.
        Assert.Null(files.TryOpenLink(token[..^KeyedIds.TextSize] + other[^KeyedIds.TextSize..]));
        Assert.Null(files.TryOpenLink("f" + token));
        Assert.Null(pair.B.Relay.Files.TryOpenLink(token));
        for (int i = 0; i < token.Length; i++)
        {
            var changed = token.ToCharArray();
            changed[i] = changed[i] == 'b' ? 'c' : 'b';
            Assert.Null(files.TryOpenLink(new string(changed)));
        }
        foreach (var text in new[] { "", ".", "..", "...", token + ".", token[..^1], token + "a", token.ToUpperInvariant(), "\u00e9" + token }) Assert.Null(files.TryOpenLink(text));
        // The bits that the last character does not need are not free.
        Assert.Null(files.TryOpenLink(token[..^1] + (char)(token[^1] + 1)));
    }

    [Fact]
    public void The_longest_link_fits_an_offer() => Assert.True(
        FileLimits.MaxPublicUrlLength + FileLimits.LinkPath.Length + 63 + 2 * (1 + KeyedIds.TextSize) <= FileLimits.MaxUrlBytes);
}
