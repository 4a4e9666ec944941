using System.Diagnostics;
using System.Security.Cryptography;
using Otr.Core;
using Relay.Actors.Files;
using Relay.Actors.Tests.Harness;
using Relay.Storage;

namespace Relay.Actors.Tests.Files;

/// <summary>Files from one relay to another.</summary>
public class FileTransferTests
{
    [Theory]
    [InlineData(0), InlineData(1), InlineData(FileCipher.PortionSize), InlineData(3 * FileCipher.PortionSize + 5)]
    public async Task A_file_goes_from_one_relay_to_another(int size)
    {
        await using var pair = await FilePair.ConnectAsync();
        var content = FilePair.Content(size);
        var sent = await pair.SendAsync(content);
        Assert.Equal((FileState.Sent, (long)size), (sent.State, sent.Stored));
        // The bridge gets the offer with the file that belongs to it, and nothing else of it.
        var offers = (await pair.A.ReadAsync(TestRelay.Wire)).Select(i => (OutboxBody.WireText)i.Body).Where(w => w.File.Length > 0);
        Assert.Equal([sent.Id], offers.Select(w => w.File).Distinct());

        var offered = await FilePair.ToldAsync(pair.B);
        Assert.Equal((FileState.Offered, "é.bin", "image/png", (long)size, 0L, TestRelay.Peer),
            (offered.State, offered.Name, offered.MediaType, offered.Size, offered.Stored, offered.Peer));
        Assert.Equal(SHA256.HashData(content), offered.Sha256.ToArray());
        Assert.IsType<FileReply.WrongState>(await pair.B.Relay.Files.ReadAsync(TestRelay.Endpoint, offered.Id, 0, 1, default));

        var blob = await pair.BlobAsync(sent.Id);
        Assert.Equal(sent.BlobSize, blob.Length);
        Assert.Equal(offered.Id, pair.IncomingId(blob));
        Assert.Equal(FileState.Received, FilePair.Done(await pair.BringAsync(blob, offered.Id)).State);
        Assert.Equal(content, await pair.DownloadAsync(offered.Id));
        var told = (await FilePair.EventsAsync(pair.B)).OfType<OutboxBody.FileChanged>().Select(f => f.File.State);
        Assert.Equal([FileState.Offered, FileState.Received], told);
    }

    [Fact]
    public async Task It_goes_on_where_it_was_after_both_were_started_again_and_the_session_has_changed()
    {
        await using var pair = await FilePair.ConnectAsync();
        var content = FilePair.Content(3 * FileCipher.PortionSize);
        var file = await pair.CreateAsync(content.Length, request: "same");
        FilePair.Done(await pair.WriteAsync(file.Id, 0, content.AsMemory(0, FileCipher.PortionSize)));
        await pair.A.ReopenAsync();
        Assert.Equal(file.Id, (await pair.CreateAsync(content.Length, request: "same")).Id);
        var stored = FilePair.Done(await pair.A.Relay.Files.GetAsync(TestRelay.Endpoint, file.Id, default)).Stored;
        Assert.Equal(FileCipher.PortionSize, stored);
        // From the beginning is as good.
        await pair.UploadAsync(file.Id, content);
        FilePair.Done(await pair.CompleteAsync(file.Id));
        await pair.CarryAsync();
        var blob = await pair.BlobAsync(file.Id);
        var id = pair.IncomingId(blob);
        FilePair.Done(await pair.WriteBlobAsync(id, 0, blob.AsMemory(0, FileCipher.HeaderSize)));
        FilePair.Done(await pair.WriteBlobAsync(id, FileCipher.HeaderSize, blob.AsMemory(FileCipher.HeaderSize, FileCipher.SealedPortionSize)));
        await pair.B.ReopenAsync();
        await pair.A.AskAsync(new Command.EndSession(pair.Request()));
        await pair.CarryAsync();
        Assert.Equal(FileState.Received, FilePair.Done(await pair.BringAsync(blob, id)).State);
        Assert.Equal(content, await pair.DownloadAsync(id));
    }

    [Fact]
    public async Task A_completion_that_is_repeated_offers_once()
    {
        await using var pair = await FilePair.ConnectAsync();
        var file = await pair.CreateAsync(1);
        await pair.UploadAsync(file.Id, [7]);
        FilePair.Done(await pair.CompleteAsync(file.Id, request: "complete"));
        FilePair.Done(await pair.CompleteAsync(file.Id, request: "complete"));
        FilePair.Done(await pair.CompleteAsync(file.Id, request: "again"));
        await pair.CarryAsync();
        Assert.Single(await pair.A.ReadAsync(TestRelay.Wire), i => i.Body is OutboxBody.WireText { File.Length: > 0 });
        Assert.Single(await FilePair.EventsAsync(pair.B), e => e is OutboxBody.FileChanged);
    }

    [Fact]
    public async Task Without_a_private_session_nothing_is_offered_and_later_it_is()
    {
        await using var pair = await FilePair.ConnectAsync();
        await pair.A.AskAsync(new Command.EndSession(pair.Request()));
        await pair.CarryAsync();
        var file = await pair.CreateAsync(1);
        await pair.UploadAsync(file.Id, [7]);
        var refused = Assert.IsType<FileReply.NotOffered>(await pair.CompleteAsync(file.Id)).Reply;
        Assert.Equal(RefusalReason.NotEncrypted, Assert.IsType<ConversationReply.Refused>(refused).Reason);
        Assert.Equal(FileState.Uploading, FilePair.Done(await pair.A.Relay.Files.GetAsync(TestRelay.Endpoint, file.Id, default)).State);
        Assert.IsType<FileReply.WrongState>(await pair.A.Relay.Files.ReadBlobAsync(TestRelay.Endpoint, file.Id, 0, 1, default));
        await pair.B.AskAsync(new Command.EndSession(pair.Request()));
        await pair.StartAsync();
        Assert.Equal(FileState.Sent, FilePair.Done(await pair.CompleteAsync(file.Id)).State);
    }

    [Fact]
    public async Task Portions_come_in_order_whole_and_unchanged()
    {
        await using var pair = await FilePair.ConnectAsync();
        var content = FilePair.Content(2 * FileCipher.PortionSize + 5);
        var file = await pair.CreateAsync(content.Length);
        var first = content.AsMemory(0, FileCipher.PortionSize);
        foreach (var (offset, length) in new[] { (FileCipher.PortionSize, FileCipher.PortionSize), (1, FileCipher.PortionSize), (-1, 1), (0, 5), (0, 0), (0, FileCipher.PortionSize + 1) })
            Assert.IsType<FileReply.WrongPlace>(await pair.WriteAsync(file.Id, offset, content.AsMemory(0, length)));
        Assert.IsType<FileReply.WrongPlace>(await pair.CompleteAsync(file.Id));
        FilePair.Done(await pair.WriteAsync(file.Id, 0, first));
        FilePair.Done(await pair.WriteAsync(file.Id, 0, first));
        Assert.IsType<FileReply.Different>(await pair.WriteAsync(file.Id, 0, content.AsMemory(1, FileCipher.PortionSize)));
        // Many at once: the one that comes first is stored, and the others are told.
        var second = Enumerable.Range(0, 8).Select(i => FilePair.Content(FileCipher.PortionSize, i)).ToArray();
        var replies = await Task.WhenAll(second.Select(s => pair.WriteAsync(file.Id, FileCipher.PortionSize, s)));
        Assert.Single(replies, r => r is FileReply.Done);
        Assert.Equal(7, replies.Count(r => r is FileReply.Different));
        var last = content.AsMemory(2 * FileCipher.PortionSize);
        FilePair.Done(await pair.WriteAsync(file.Id, 2 * FileCipher.PortionSize, last));
        Assert.IsType<FileReply.WrongPlace>(await pair.WriteAsync(file.Id, content.Length, new byte[1]));
        Assert.IsType<FileReply.DigestDiffers>(await pair.CompleteAsync(file.Id, SHA256.HashData(content)));
        byte[] stored = [.. first.Span, .. second[Array.FindIndex(replies, r => r is FileReply.Done)], .. last.Span];
        FilePair.Done(await pair.CompleteAsync(file.Id, SHA256.HashData(stored)));
    }

    [Fact]
    public async Task Only_the_blob_that_was_offered_is_taken()
    {
        await using var pair = await FilePair.ConnectAsync();
        var content = FilePair.Content(2 * FileCipher.PortionSize + 5);
        var blob = await pair.BlobAsync((await pair.SendAsync(content)).Id);
        var other = await pair.BlobAsync((await pair.SendAsync(content)).Id);
        string id = pair.IncomingId(blob), otherId = pair.IncomingId(other);
        Assert.NotEqual(id, otherId);
        Assert.IsType<FileReply.NotAuthentic>(await pair.BringAsync(other, id));
        Assert.IsType<FileReply.NotAuthentic>(await pair.BringAsync(Changed(blob, 30), id));
        Assert.IsType<FileReply.WrongPlace>(await pair.BringAsync(blob[..40], id));
        FilePair.Done(await pair.WriteBlobAsync(id, 0, blob.AsMemory(0, FileCipher.HeaderSize)));
        const int second = FileCipher.HeaderSize + FileCipher.SealedPortionSize;
        byte[] swapped = [.. blob[..FileCipher.HeaderSize], .. blob[second..(second + FileCipher.SealedPortionSize)], .. blob[second..]];
        Assert.IsType<FileReply.NotAuthentic>(await pair.BringAsync(swapped, id));
        Assert.IsType<FileReply.NotAuthentic>(await pair.BringAsync(Changed(blob, second - 1), id));
        Assert.Equal(second, FilePair.Done(await pair.BringAsync(blob[..second], id)).BlobStored);
        // What is stored stays.
        Assert.IsType<FileReply.Different>(await pair.WriteBlobAsync(id, 0, Changed(blob, 0).AsMemory(0, FileCipher.HeaderSize)));
        Assert.IsType<FileReply.WrongPlace>(await pair.WriteBlobAsync(id, 5, blob.AsMemory(5, 10)));
        Assert.IsType<FileReply.WrongPlace>(await pair.WriteBlobAsync(id, blob.Length, new byte[1]));
        FilePair.Done(await pair.WriteBlobAsync(id, 0, blob.AsMemory(0, FileCipher.HeaderSize)));
        Assert.Equal(FileState.Received, FilePair.Done(await pair.BringAsync(blob, id)).State);
        Assert.Equal(content, await pair.DownloadAsync(id));
        // A file of ours takes no blob, and one that is not there neither.
        Assert.IsType<FileReply.NotFound>(await pair.WriteBlobAsync("a", 0, blob.AsMemory(0, 5)));
        var ours = (await pair.A.Relay.Files.ListAsync(TestRelay.Endpoint, null, 9, default)).Files[0];
        Assert.IsType<FileReply.WrongState>(await pair.A.Relay.Files.WriteBlobAsync(TestRelay.Endpoint, ours.Id, 0, default, default));
    }

    private static byte[] Changed(byte[] blob, int at)
    {
        var changed = blob.ToArray();
        changed[at] ^= 1;
        return changed;
    }

    [Fact]
    public async Task The_end_of_the_life_of_a_file_is_the_end_of_its_keys()
    {
        var time = new ManualTime();
        await using var relay = new TestRelay { Time = time };
        await relay.OpenAsync();
        await relay.CreateEndpointAsync("create");
        var create = new CreateFile("r", TestRelay.Endpoint, relay.Relay.ConversationId(TestRelay.Endpoint, TestRelay.Peer), TestRelay.Peer, "n", "", 1);
        var file = FilePair.Done(await relay.Relay.Files.CreateAsync(create, default));
        FilePair.Done(await relay.Relay.Files.WriteAsync(TestRelay.Endpoint, file.Id, 0, new byte[1], default));
        time.Advance(FileLimits.Life);
        Assert.IsType<FileReply.NotFound>(await relay.Relay.Files.GetAsync(TestRelay.Endpoint, file.Id, default));
        var limit = Stopwatch.StartNew();
        // Its row goes last.
        while ((await relay.Store.ReadFilesDueAsync(long.MaxValue, 9, default)).Count > 0)
        {
            Assert.True(limit.Elapsed < TimeSpan.FromMinutes(1));
            time.Advance(FileLimits.ExpiryInterval);
            await Task.Delay(5);
        }
        Assert.Empty(await relay.Store.ReadPortionsAsync(TestRelay.Endpoint, file.Id, 0, 9, default));
        await ScrubbedAsync(0);
        // A deleted one is gone at once.
        file = FilePair.Done(await relay.Relay.Files.CreateAsync(create with { RequestId = "s" }, default));
        int scrubs = relay.Store.Scrubs;
        await relay.Relay.Files.DeleteAsync(TestRelay.Endpoint, file.Id, default);
        await relay.Relay.Files.DeleteAsync(TestRelay.Endpoint, file.Id, default);
        Assert.IsType<FileReply.NotFound>(await relay.Relay.Files.GetAsync(TestRelay.Endpoint, file.Id, default));
        await ScrubbedAsync(scrubs);

        // The database destroys what is left of its row.
        async Task ScrubbedAsync(int before)
        {
            while (relay.Store.Scrubs == before)
            {
                Assert.True(limit.Elapsed < TimeSpan.FromMinutes(1));
                time.Advance(FileLimits.ExpiryInterval);
                await Task.Delay(5);
            }
        }
    }

    [Fact]
    public async Task A_request_id_is_of_one_file_and_the_peer_of_a_bounded_number_of_bytes()
    {
        await using var pair = await FilePair.ConnectAsync();
        var description = pair.Description(FileLimits.MaxFileBytes, "n", "r");
        FilePair.Done(await pair.A.Relay.Files.CreateAsync(description, default));
        Assert.IsType<FileReply.RequestIdReused>(await pair.A.Relay.Files.CreateAsync(description with { Name = "o" }, default));
        Assert.IsType<FileReply.NoEndpoint>(await pair.A.Relay.Files.CreateAsync(description with { EndpointId = "none" }, default));
        for (int i = 1; i < StorageLimits.FileBytesPerConversation / FileLimits.MaxFileBytes; i++)
            FilePair.Done(await pair.A.Relay.Files.CreateAsync(description with { RequestId = $"r{i}" }, default));
        Assert.IsType<FileReply.Full>(await pair.A.Relay.Files.CreateAsync(description with { RequestId = "full" }, default));
        foreach (var wrong in new[] { description with { Name = "../x" }, description with { Size = -1 }, description with { MediaType = "x" } })
            await Assert.ThrowsAsync<ArgumentException>(() => pair.A.Relay.Files.CreateAsync(wrong, default).AsTask());
    }

    [Fact]
    public async Task A_file_that_is_not_what_was_offered_is_damaged_and_not_given_out()
    {
        await using var pair = await FilePair.ConnectAsync();
        // The sender lies: a peer with a program of its own.
        var content = FilePair.Content(10);
        var file = await pair.CreateAsync(content.Length);
        await pair.UploadAsync(file.Id, content);
        var row = (await pair.A.Store.LoadFileAsync(TestRelay.Endpoint, file.Id, default))!.Row;
        var record = FileRecord.TryOpen(pair.A.Local.Sealing, row)!;
        var lie = new Command.OfferFile(pair.Request(), file.Id, record with { Sha256 = new byte[32] }, row.Revision, row.ExpiresMs);
        Assert.IsType<ConversationReply.Done>(await pair.A.AskAsync(lie));
        await pair.CarryAsync();
        var id = (await FilePair.ToldAsync(pair.B)).Id;
        Assert.Equal(FileState.Damaged, FilePair.Done(await pair.BringAsync(await pair.BlobAsync(file.Id), id)).State);
        Assert.Equal(FileState.Damaged, (await FilePair.ToldAsync(pair.B)).State);
        Assert.IsType<FileReply.WrongState>(await pair.B.Relay.Files.ReadAsync(TestRelay.Endpoint, id, 0, 1, default));
    }

    [Fact]
    public async Task Offers_that_cannot_be_read_are_notices_and_a_repeated_one_changes_nothing()
    {
        await using var pair = await FilePair.ConnectAsync();
        var file = await pair.CreateAsync(1);
        await pair.UploadAsync(file.Id, [7]);
        var row = (await pair.A.Store.LoadFileAsync(TestRelay.Endpoint, file.Id, default))!.Row;
        var record = FileRecord.TryOpen(pair.A.Local.Sealing, row)! with { Sha256 = SHA256.HashData([7]) };
        Task OfferAsync(FileRecord of) => pair.A.AskAsync(new Command.OfferFile(pair.Request(), file.Id, of, row.Revision, row.ExpiresMs));
        await OfferAsync(record with { Name = "../../x" });
        await OfferAsync(record with { Size = FileLimits.MaxFileBytes + 1 });
        await pair.CarryAsync();
        var events = await FilePair.EventsAsync(pair.B);
        Assert.Equal(["FILE_NOT_OFFERED", "FILE_NOT_OFFERED"], events.OfType<OutboxBody.Notice>().Select(n => n.Code));
        Assert.Empty(events.OfType<OutboxBody.FileChanged>());
        Assert.Empty((await pair.B.Relay.Files.ListAsync(TestRelay.Endpoint, null, 9, default)).Files);

        await OfferAsync(record);
        await OfferAsync(record with { Name = "other" });
        await pair.CarryAsync();
        Assert.Equal("é.bin", Assert.Single((await pair.B.Relay.Files.ListAsync(TestRelay.Endpoint, null, 9, default)).Files).Name);

        // More than a minute's: the others are dropped.
        for (int i = 0; i < RelayLimits.MaxNoticesPerWindow; i++) await OfferAsync(record with { TransferId = (UInt128)i });
        await pair.CarryAsync();
        Assert.InRange((await FilePair.EventsAsync(pair.B)).Count(e => e is OutboxBody.FileChanged or OutboxBody.Notice), 1, RelayLimits.MaxNoticesPerWindow);
    }
}
