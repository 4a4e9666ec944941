using Otr.Core;
using Relay.Actors.Archives;
using Relay.Actors.Tests.Harness;
using Relay.Storage.Sealing;

namespace Relay.Actors.Tests;

/// <summary>Identities move from one server to another.</summary>
public class ArchiveTests
{
    private static readonly Fingerprint s_otherKey = new(Enumerable.Repeat((byte)7, 20).ToArray());

    [Fact]
    public async Task An_endpoint_goes_on_elsewhere_with_its_key_and_what_it_knows_of_its_peers()
    {
        await using var old = await TestRelay.StartAsync();
        using var world = new World();
        world.Contact(new OtrInput.StartRequested());
        await world.PumpAsync(old);
        await old.AskAsync(new Command.SetTrust("t1", TestKeys.Shared.PublicKey.Fingerprint, TrustLevel.Verified, "met in person"));
        await old.AskAsync(new Command.SetTrust("t2", s_otherKey, new TrustLevel("a word of another client"), null), new ConversationAddress.ByPeer(TestRelay.Endpoint, "bob@example.net"));
        var known = (await ViewAsync(old, TestRelay.Peer)).Identities.Single();

        var (privateKey, publicKey) = SealedFile.GenerateKeyPair(SystemRandom.Instance);
        var exported = Assert.IsType<ExportReply.Exported>(await old.Relay.Archives.ExportAsync(new(TestRelay.Endpoint, new ArchiveKey.PublicKey(publicKey), null), default));
        Assert.Equal((2, 0, (ArchivePosition?)null), (exported.Peers, exported.Quarantined, exported.Next));
        var key = new ArchiveKey.PrivateKey(privateKey);
        await using var moved = new TestRelay();
        await moved.OpenAsync();
        var request = new ImportIdentity("i1", null, "moved", exported.File, key);
        var imported = Assert.IsType<ImportReply.Imported>(await moved.Relay.Archives.ImportAsync(request, default));
        Assert.Equal((2, 2, 0, 0, true), (imported.Peers, imported.Keys, imported.Skipped, imported.Part, imported.IsLast));
        var before = (await old.Relay.Endpoints.GetAsync(TestRelay.Endpoint, default))!;
        Assert.Equal(("moved", before.Network, before.Account, before.Fingerprint),
            (imported.Endpoint.Id, imported.Endpoint.Network, imported.Endpoint.Account, imported.Endpoint.Fingerprint));
        // It is another device, and has no session of the old one.
        Assert.NotEqual(before.InstanceTag, imported.Endpoint.InstanceTag);
        Assert.Equal(imported, await moved.Relay.Archives.ImportAsync(request, default));

        await moved.ReopenAsync();
        var view = await ViewAsync(moved, TestRelay.Peer, "moved");
        Assert.Empty(view.Sessions);
        Assert.Equal(known, view.Identities.Single());
        Assert.Equal("a word of another client", (await ViewAsync(moved, "bob@example.net", "moved")).Identities.Single().Trust.Label);
        // No event tells of it: an import of thousands would fill the stream.
        Assert.Empty(await moved.ReadAsync(new(("moved"), Storage.StreamKind.Events)));
    }

    [Fact]
    public async Task A_changed_key_is_told_as_changed_after_the_move()
    {
        await using var old = await TestRelay.StartAsync();
        var address = new ConversationAddress.ByPeer(TestRelay.Endpoint, TestRelay.Peer);
        await using var moved = await TestRelay.StartAsync();
        var view = new IdentityView(s_otherKey, TrustLevel.Smp, "", DateTimeOffset.UnixEpoch.AddDays(1), DateTimeOffset.UnixEpoch.AddDays(2), DateTimeOffset.UnixEpoch.AddDays(1));
        Assert.IsType<ConversationReply.Done>(await moved.AskAsync(new Command.ImportKeys("i", [view], s_otherKey, 3)));
        using var world = new World();
        world.Contact(new OtrInput.StartRequested());
        await world.PumpAsync(moved);
        var changed = world.BotEvents.OfType<OutboxBody.SessionChanged>().Single(s => s.Cause == SessionCause.KeyExchange);
        Assert.Equal((true, true, false), (changed.FingerprintIsNew, changed.FingerprintIsChanged, changed.IsVerified));
        // What is known here stays: an import takes no trust away, and adds it.
        var shown = TestKeys.Shared.PublicKey.Fingerprint;
        var untrusting = new IdentityView[] { new(s_otherKey, default, "a note", null, null, null), new(shown, TrustLevel.Verified, "", null, null, DateTimeOffset.UnixEpoch.AddDays(3)) };
        Assert.IsType<ConversationReply.Done>(await moved.AskAsync(new Command.ImportKeys("i2", untrusting, s_otherKey, 3)));
        var known = (await ViewAsync(moved, TestRelay.Peer)).Identities.ToDictionary(i => i.Fingerprint);
        Assert.Equal((TrustLevel.Smp, "a note"), (known[s_otherKey].Trust, known[s_otherKey].Note));
        Assert.Equal(view.FirstSeen, known[s_otherKey].FirstSeen);
        Assert.Equal((TrustLevel.Verified, (DateTimeOffset?)DateTimeOffset.UnixEpoch.AddDays(3)), (known[shown].Trust, known[shown].Verified));
        Assert.IsType<ConversationReply.RequestIdReused>(await moved.AskAsync(new Command.ImportKeys("i2", [view], null, 0)));
    }

    [Fact]
    public async Task A_large_export_has_parts_and_none_is_lost()
    {
        await using var relay = await TestRelay.StartAsync();
        var note = new string('n', RelayLimits.MaxIdentityNoteBytes);
        int count = 300;
        await Parallel.ForEachAsync(Enumerable.Range(0, count), async (i, _) => Assert.IsType<ConversationReply.Done>(
            await relay.AskAsync(new Command.SetTrust("t", s_otherKey, TrustLevel.Verified, note), new ConversationAddress.ByPeer(TestRelay.Endpoint, $"peer{i}@example.net"))));
        var (privateKey, publicKey) = SealedFile.GenerateKeyPair(SystemRandom.Instance);
        var parts = new List<byte[]>();
        ArchivePosition? at = null;
        do
        {
            var part = Assert.IsType<ExportReply.Exported>(await relay.Relay.Archives.ExportAsync(new(TestRelay.Endpoint, new ArchiveKey.PublicKey(publicKey), at), default));
            Assert.True(part.File.Length < 200_000);
            parts.Add(part.File);
            at = part.Next;
        }
        while (at is not null);
        Assert.True(parts.Count > 1);

        await using var moved = new TestRelay();
        await moved.OpenAsync();
        var key = new ArchiveKey.PrivateKey(privateKey);
        Assert.IsType<ImportReply.NotTheFirst>(await moved.Relay.Archives.ImportAsync(new("i", null, null, parts[1], key), default));
        string? id = null;
        int peers = 0;
        for (int i = 0; i < parts.Count; i++)
        {
            var done = Assert.IsType<ImportReply.Imported>(await moved.Relay.Archives.ImportAsync(new($"i{i}", id, null, parts[i], key), default));
            Assert.Equal((i, i == parts.Count - 1), (done.Part, done.IsLast));
            id = done.Endpoint.Id;
            peers += done.Peers;
        }
        Assert.Equal(count, peers);
        Assert.Equal(count, (await moved.Relay.ListConversationsAsync(id!, null, 1000, default)).Count);
    }

    [Fact]
    public async Task What_is_wrong_with_a_file_or_a_request_is_told_and_changes_nothing()
    {
        await using var relay = await TestRelay.StartAsync();
        var (privateKey, publicKey) = SealedFile.GenerateKeyPair(SystemRandom.Instance);
        var archives = relay.Relay.Archives;
        Assert.IsType<ExportReply.NotFound>(await archives.ExportAsync(new("none", new ArchiveKey.PublicKey(publicKey), null), default));
        Assert.IsType<ExportReply.NotAKey>(await archives.ExportAsync(new(TestRelay.Endpoint, new ArchiveKey.PublicKey(new byte[32]), null), default));
        var passphrase = new ArchiveKey.Passphrase("a long passphrase"u8.ToArray());
        var file = Assert.IsType<ExportReply.Exported>(await archives.ExportAsync(new(TestRelay.Endpoint, passphrase, null), default)).File;
        Assert.IsType<ImportReply.NotOpened>(await archives.ImportAsync(new("i", null, "x", file, new ArchiveKey.Passphrase("another one"u8.ToArray())), default));
        Assert.IsType<ImportReply.NotOpened>(await archives.ImportAsync(new("i", null, "x", file, new ArchiveKey.PrivateKey(privateKey)), default));
        Assert.IsType<ImportReply.NotFound>(await archives.ImportAsync(new("i", "none", null, file, passphrase), default));
        // The account is in use here.
        var taken = Assert.IsType<ImportReply.NotCreated>(await archives.ImportAsync(new("i", null, "x", file, passphrase), default));
        Assert.Equal("account", Assert.IsType<CreateEndpointReply.AlreadyExists>(taken.Reply).Field);
        await relay.Relay.Endpoints.CreateAsync(new CreateEndpoint("c", "irc", "irc", "bot", new EndpointSettings(), TestKeys.Copy(1)), default);
        Assert.IsType<ImportReply.OtherNetwork>(await archives.ImportAsync(new("i", "irc", null, file, passphrase), default));
        await relay.Relay.Endpoints.DeleteAsync(TestRelay.Endpoint, false, null, default);
        Assert.IsType<ExportReply.NotFound>(await archives.ExportAsync(new(TestRelay.Endpoint, passphrase, null), default));
    }

    /// <summary>Anybody can seal to a public key: what comes out is hostile until it has been checked.</summary>
    [Fact]
    public void Content_that_no_export_has_is_refused()
    {
        var peer = new ArchivedPeer("p@example.net", [new IdentityView(s_otherKey, TrustLevel.Smp, "note", null, null, null)], s_otherKey, 3);
        var sound = new IdentityArchive(1, 0, true, 0, "xmpp", "a@example.net", TestKeys.Shared, FormerIdentityList.Empty, [peer]);
        var content = Written(sound);
        Assert.NotNull(IdentityArchive.TryRead(content));
        for (int length = 0; length < content.Length; length++) Assert.Null(IdentityArchive.TryRead(content.AsSpan(0, length)));
        Assert.Null(IdentityArchive.TryRead([.. content, 0]));
        Assert.Null(IdentityArchive.TryRead([2, .. content[1..]]));
        IdentityArchive[] wrong =
        [
            sound with { Key = null }, sound with { Part = 1 }, sound with { Network = "" }, sound with { Account = "a\nb" },
            sound with { Account = new string('a', RelayLimits.MaxAddressBytes + 1) },
            sound with { FormerIdentities = new(Enumerable.Repeat(new FormerIdentity(s_otherKey, default), RelayLimits.MaxFormerIdentities + 1).Select(f => f with { Retired = DateTimeOffset.UnixEpoch })) },
            sound with { Peers = [peer with { Peer = "" }] }, sound with { Peers = [peer with { HighestVersion = 5 }] },
            sound with { Peers = [peer with { Identities = [peer.Identities[0] with { Note = "two\nlines" }] }] },
            sound with { Peers = [peer with { Identities = [peer.Identities[0] with { Note = new string('n', RelayLimits.MaxIdentityNoteBytes + 1) }] }] },
            sound with { Peers = [peer with { Identities = [peer.Identities[0] with { Trust = new TrustLevel(new string('t', OtrLimits.MaxTrustLabelBytes + 1)) }] }] },
            sound with { Peers = [peer with { Identities = [.. Enumerable.Repeat(peer.Identities[0], OtrLimits.MaxKnownFingerprints + 1)] }] },
            sound with { Peers = [.. Enumerable.Repeat(peer, RelayLimits.MaxArchivePeers + 1)] },
            // Only an accepted key can be trusted.
            sound with { Peers = [peer with { Identities = [peer.Identities[0] with { Standing = KeyStanding.Refused }] }] },
            sound with { Peers = [peer with { Identities = [peer.Identities[0] with { Standing = (KeyStanding)3, Trust = default }] }] },
        ];
        Assert.All(wrong, w => Assert.Null(IdentityArchive.TryRead(Written(w))));
        // A key whose halves do not belong together.
        var bytes = (byte[])content.Clone();
        int x = bytes.AsSpan().IndexOf(TestKeys.Shared.ExportX());
        bytes[x + 5] ^= 1;
        Assert.Null(IdentityArchive.TryRead(bytes));
    }

    private static byte[] Written(IdentityArchive archive)
    {
        using var row = new RowWriter();
        archive.Write(row);
        return row.Written.ToArray();
    }

    private static async Task<ConversationView> ViewAsync(TestRelay relay, string peer, string endpoint = TestRelay.Endpoint) =>
        (await relay.Relay.GetConversationAsync(endpoint, relay.Relay.ConversationId(endpoint, peer), default))!;
}
