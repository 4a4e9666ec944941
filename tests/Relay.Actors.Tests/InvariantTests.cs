using System.Text;
using Otr.Core;
using Relay.Actors.Tests.Harness;
using Relay.Storage;

namespace Relay.Actors.Tests;

/// <summary>The design's invariants, one by one. Each test was seen to fail with the code broken.</summary>
public class InvariantTests
{
    private static async Task<(TestRelay Relay, World World)> EncryptedAsync(TestRelay? made = null)
    {
        var relay = await TestRelay.StartAsync(made);
        var world = new World();
        world.Contact(new OtrInput.StartRequested());
        await world.PumpAsync(relay);
        Assert.Equal(MessageState.Encrypted, world.ContactState);
        return (relay, world);
    }

    [Fact]
    public async Task Invariant1_StateBeforeWire_nothing_shows_until_the_commit_is_done()
    {
        var (relay, world) = await EncryptedAsync();
        await using var _ = relay;
        using var __ = world;
        var before = await relay.Relay.Outbox.PositionAsync(TestRelay.Wire, default);
        var gate = new TaskCompletionSource();
        relay.Store.Gate = gate.Task;
        relay.Store.AtGate = new(TaskCreationOptions.RunContinuationsAsynchronously);

        var sending = relay.SendAsync("r1", "x");
        var waiting = relay.Relay.Outbox.WaitAsync(TestRelay.Wire, before.Last, default).AsTask();
        await relay.Store.AtGate.Task.WaitAsync(TimeSpan.FromSeconds(30));
        // The message is encrypted and at the store's door; nobody may know.
        Assert.False(sending.IsCompleted);
        Assert.False(waiting.IsCompleted);
        Assert.Equal(before, await relay.Relay.Outbox.PositionAsync(TestRelay.Wire, default));

        gate.SetResult();
        Assert.IsType<ConversationReply.Done>(await sending);
        await waiting.WaitAsync(TimeSpan.FromSeconds(30));
        await world.PumpAsync(relay);
        Assert.Equal(["x"], world.ContactReceived);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Invariant1_StateBeforeWire_after_a_failed_commit_the_state_is_what_is_stored(bool doneAfterAll)
    {
        var (relay, world) = await EncryptedAsync();
        await using var _ = relay;
        using var __ = world;
        relay.Store.FailNextCommitAfterIt = doneAfterAll;
        Assert.IsType<ConversationReply.Unavailable>(await relay.SendAsync("r1", "first"));
        // A state kept in spite of the failure would count from a message that was never stored, or be one behind.
        Assert.IsType<ConversationReply.Done>(await relay.SendAsync("r2", "second"));
        Assert.IsType<ConversationReply.Done>(await relay.SendAsync("r1", "first"));
        await world.PumpAsync(relay);
        Assert.Equal(doneAfterAll ? ["first", "second"] : ["second", "first"], world.ContactReceived);
        Assert.Empty(world.ContactRejected);
        Assert.Equal(1, world.KeyExchanges);
    }

    [Fact]
    public async Task Invariant2_UnauthenticatedInputChangesNothing()
    {
        var (relay, world) = await EncryptedAsync();
        await using var _ = relay;
        using var __ = world;
        world.ContactSays("honest");
        // Take the honest message off the bridge and break it.
        var honest = world.TakeOutgoing();
        var forged = Convert.FromBase64String(Encoding.ASCII.GetString(honest.AsSpan()[5..^1]));
        forged[^30] ^= 1;
        var rejected = Assert.IsType<ConversationReply.WireRejected>(await relay.ReceiveAsync("forged", Encoding.ASCII.GetBytes($"?OTR:{Convert.ToBase64String(forged)}.")));
        Assert.True(rejected.Reason is RejectReason.BadMac or RejectReason.Malformed, rejected.Reason.ToString());
        Assert.IsType<ConversationReply.Done>(await relay.ReceiveAsync("honest", honest));
        await world.PumpAsync(relay);
        Assert.Equal(["honest"], world.BotReceived);
    }

    [Fact]
    public async Task Invariant3_OneOwner_a_second_owner_cannot_commit()
    {
        var (relay, world) = await EncryptedAsync();
        await using var _ = relay;
        using var __ = world;
        var address = Assert.Single(await relay.Relay.ListConversationsAsync(TestRelay.Endpoint, null, 1, default));
        var stored = (await relay.Store.LoadAsync(TestRelay.Endpoint, address.Id, default))!;
        // Somebody else moves the row on, as a node that took the shard over would.
        await relay.Store.CommitAsync(new CommitUnit
        {
            EndpointId = TestRelay.Endpoint, ConversationId = address.Id, ExpectedVersion = stored.Version, Sealed = stored.Sealed, UpdatedMs = 1,
        }, default);
        var last = await relay.Relay.Outbox.PositionAsync(TestRelay.Wire, default);
        Assert.Equal("conflict", Assert.IsType<ConversationReply.Unavailable>(await relay.SendAsync("r1", "x")).Reason);
        Assert.Equal(last, await relay.Relay.Outbox.PositionAsync(TestRelay.Wire, default));
        // And what was moved on does not open under the new version: it was sealed for the old one.
        Assert.IsType<ConversationReply.Quarantined>(await relay.SendAsync("r1", "x"));
    }

    [Fact]
    public async Task Invariant4_ExactlyOneEffectPerMessage()
    {
        var (relay, world) = await EncryptedAsync();
        await using var _ = relay;
        using var __ = world;
        // At once, one after another, and after a restart.
        var replies = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => relay.SendAsync("r1", "once")));
        var first = Assert.IsType<ConversationReply.Done>(replies[0]);
        Assert.All(replies, r => Assert.Equal(first, r));
        Assert.Equal(first, await relay.SendAsync("r1", "once"));
        await relay.ReopenAsync();
        Assert.Equal(first, await relay.SendAsync("r1", "once"));
        await world.PumpAsync(relay);
        Assert.Equal(["once"], world.ContactReceived);

        Assert.IsType<ConversationReply.RequestIdReused>(await relay.SendAsync("r1", "another text"));
        Assert.IsType<ConversationReply.RequestIdReused>(await relay.AskAsync(new Command.EndSession("r1")));
        // A bridge counts for itself.
        Assert.IsType<ConversationReply.WireRejected>(await relay.ReceiveAsync("r1", "?OTR:===."u8.ToArray()));
        await world.PumpAsync(relay);
        Assert.Equal(["once"], world.ContactReceived);
    }

    [Fact]
    public async Task Invariant4_ExactlyOneEffectPerMessage_ids_are_forgotten_by_age_and_number_only()
    {
        var time = new ManualTime();
        await using var relay = await TestRelay.StartAsync(new TestRelay { Time = time, Policy = OtrPolicy.AllowV3 });
        var first = Assert.IsType<ConversationReply.Done>(await relay.SendAsync("r0", "clear"));
        for (int i = 1; i < RelayLimits.MaxSeenIds; i++) await relay.SendAsync($"r{i}", "clear");
        Assert.Equal(first, await relay.SendAsync("r0", "clear"));
        await relay.SendAsync("one too many", "clear");
        // None is forgotten while a copy of its command may be on its way.
        Assert.Equal(first, await relay.SendAsync("r0", "clear"));
        time.Advance(RelayLimits.MaxCommandLifetime - TimeSpan.FromMilliseconds(1));
        await relay.SendAsync("two too many", "clear");
        Assert.Equal(first, await relay.SendAsync("r0", "clear"));
        time.Advance(RelayLimits.MaxCommandLifetime);
        // They are forgotten by the row.
        for (int i = 0; i < RelayLimits.MaxTailIds; i++) await relay.SendAsync($"{i + 3} too many", "clear");
        ulong last = (await relay.Relay.Outbox.PositionAsync(TestRelay.Wire, default)).Last;
        Assert.Equal((ulong)(RelayLimits.MaxSeenIds + 2 + RelayLimits.MaxTailIds), last);
        // The oldest is forgotten: it is sent anew.
        await relay.SendAsync("r0", "clear");
        Assert.Equal(last + 1, (await relay.Relay.Outbox.PositionAsync(TestRelay.Wire, default)).Last);

        time.Advance(RelayLimits.SeenIdLifetime + TimeSpan.FromMinutes(1));
        await relay.AskAsync(new Command.StartSession("later"));
        var id = Assert.Single(await relay.Relay.ListConversationsAsync(TestRelay.Endpoint, null, 1, default)).Id;
        Assert.Empty((await relay.Store.LoadAsync(TestRelay.Endpoint, id, default))!.Seen);
    }

    [Fact]
    public async Task Invariant4_ExactlyOneEffectPerMessage_a_peer_cannot_push_out_what_a_bot_asked()
    {
        await using var relay = await TestRelay.StartAsync(new TestRelay { Policy = OtrPolicy.AllowV3 });
        var first = Assert.IsType<ConversationReply.Done>(await relay.SendAsync("r0", "clear"));
        ulong sent = (await relay.Relay.Outbox.PositionAsync(TestRelay.Wire, default)).Last;
        for (int i = 0; i < 2 * RelayLimits.MaxSeenIds + 1; i++) await relay.ReceiveAsync($"m{i}", "a flood"u8.ToArray());
        Assert.Equal(first, await relay.SendAsync("r0", "clear"));
        await relay.ReopenAsync();
        Assert.Equal(first, await relay.SendAsync("r0", "clear"));
        Assert.Equal(sent, (await relay.Relay.Outbox.PositionAsync(TestRelay.Wire, default)).Last);
    }

    [Fact]
    public async Task Invariant5_FailClosed_nothing_leaves_in_the_clear()
    {
        var (relay, world) = await EncryptedAsync();
        await using var _ = relay;
        using var __ = world;
        world.Contact(new OtrInput.EndRequested());
        await world.PumpAsync(relay);
        Assert.Equal(RefusalReason.SessionFinished, Assert.IsType<ConversationReply.Refused>(await relay.SendAsync("r1", "MARKED-TEXT")).Reason);
        Assert.Equal(MessageState.Plaintext, Assert.IsType<ConversationReply.Done>(await relay.AskAsync(new Command.EndSession("r2"))).State);
        Assert.Equal(SendDisposition.Held, Assert.IsType<ConversationReply.Done>(await relay.SendAsync("r3", "MARKED-TEXT")).Disposition);
        foreach (var item in await relay.ReadAsync(TestRelay.Wire))
            Assert.DoesNotContain("MARKED-TEXT", Encoding.UTF8.GetString(Assert.IsType<OutboxBody.WireText>(item.Body).Text.Span));
    }

    [Fact]
    public async Task Invariant6_NothingReadable_at_rest_or_in_logs()
    {
        var logs = new RecordingLoggers();
        using var telemetry = new RecordingTelemetry();
        var (relay, world) = await EncryptedAsync(new TestRelay { Loggers = logs });
        await using var _ = relay;
        using var __ = world;
        const string marked = "MARKED-PLAINTEXT-0123456789";
        world.ContactSays(marked + "-in");
        Assert.IsType<ConversationReply.Done>(await relay.SendAsync("MARKED-REQUEST", marked + "-out"));
        relay.Store.FailNextCommitAfterIt = false;
        await relay.SendAsync("MARKED-REQUEST-2", marked);
        await relay.ReceiveAsync("bad", "?OTR:MARKED-WIRE"u8.ToArray());
        // Nothing is acknowledged yet: everything lies in the file or its log.
        var key = TestKeys.Copy(0);
        var secrets = new List<byte[]> { key.ExportX(), key.PublicKey.Fingerprint.ToHex() is var hex ? Convert.FromHexString(hex) : [] };
        var words = new[] { marked, TestRelay.Peer, "bot@example.net", "MARKED-REQUEST", "MARKED-WIRE", hex };
        foreach (var file in Directory.GetFiles(relay.Directory, "relay.db*"))
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var bytes = new byte[stream.Length];
            await stream.ReadExactlyAsync(bytes);
            foreach (var secret in words.Select(Encoding.UTF8.GetBytes).Concat(secrets)) Assert.False(bytes.AsSpan().IndexOf(secret) >= 0, file);
        }
        await relay.CloseAsync();
        Assert.NotEmpty(logs.Lines);
        Assert.NotEmpty(telemetry.Lines);
        foreach (var line in logs.Lines.Concat(telemetry.Lines))
        {
            foreach (var word in words) Assert.DoesNotContain(word, line, StringComparison.OrdinalIgnoreCase);
        }
    }

    [Fact]
    public async Task Invariant6_NothingReadable_acknowledged_rows_are_overwritten()
    {
        await using var relay = await TestRelay.StartAsync(new TestRelay { Policy = OtrPolicy.AllowV3 });
        await relay.SendAsync("r1", "x");
        var value = Assert.Single(await relay.Store.ReadAsync(TestRelay.Wire, 0, 10, default)).Sealed;
        await relay.ReopenAsync();
        Assert.True((await File.ReadAllBytesAsync(relay.Database)).AsSpan().IndexOf(value) >= 0);
        await relay.Relay.Outbox.AcknowledgeAsync(TestRelay.Wire, 1, default);
        Assert.Empty(await relay.ReadAsync(TestRelay.Wire));
        await relay.CloseAsync();
        Assert.True((await File.ReadAllBytesAsync(relay.Database)).AsSpan().IndexOf(value) < 0);
    }

    [Fact]
    public async Task Invariant7_Bounded_a_full_mailbox_turns_away()
    {
        await using var relay = await TestRelay.StartAsync(new TestRelay { Policy = OtrPolicy.AllowV3 });
        var gate = new TaskCompletionSource();
        relay.Store.Gate = gate.Task;
        var first = relay.SendAsync("first", "x");
        await relay.Store.AtGate.Task.WaitAsync(TimeSpan.FromSeconds(30));
        var queued = Enumerable.Range(0, RelayLimits.MaxMailboxDepth).Select(i => relay.SendAsync($"r{i}", "x")).ToArray();
        var over = Assert.IsType<ConversationReply.Overloaded>(await relay.SendAsync("over", "x"));
        Assert.Equal(("mailbox", RelayLimits.OverloadedRetryAfter), (over.Bound, over.RetryAfter));
        gate.SetResult();
        Assert.IsType<ConversationReply.Done>(await first);
        Assert.All(await Task.WhenAll(queued), r => Assert.IsType<ConversationReply.Done>(r));
        Assert.IsType<ConversationReply.Done>(await relay.SendAsync("over", "x"));
    }

    [Fact]
    public async Task Invariant7_Bounded_commands_in_flight_and_each_endpoint_has_a_share()
    {
        await using var relay = await TestRelay.StartAsync(new TestRelay { Policy = OtrPolicy.AllowV3 });
        for (int e = 1; e < 5; e++) Assert.IsType<CreateEndpointReply.Created>(await relay.CreateEndpointAsync($"create{e}", $"bot{e}", $"bot{e}@example.net"));
        var gate = new TaskCompletionSource();
        relay.Store.Gate = gate.Task;
        // One command in each of many mailboxes, of the largest size: the bytes reach their bound first.
        var text = new byte[OtrLimits.MaxPlaintextBytes];
        text.AsSpan().Fill((byte)'x');
        int share = (int)(RelayLimits.MaxBytesInFlightPerEndpoint / text.Length);
        Task<ConversationReply> To(string endpoint, int i) => relay.AskAsync(new Command.SendText("r", text), new ConversationAddress.ByPeer(endpoint, $"peer{i}"));
        var sent = new List<Task<ConversationReply>>();
        for (int e = 1; e < 5; e++)
        {
            sent.AddRange(Enumerable.Range(0, share).Select(i => To($"bot{e}", i)));
            if (e < 4) Assert.Equal("endpoint-commands-in-flight", Assert.IsType<ConversationReply.Overloaded>(await To($"bot{e}", share)).Bound);
        }
        var left = (int)((RelayLimits.MaxBytesInFlight - sent.Count * (long)text.Length) / text.Length);
        sent.AddRange(Enumerable.Range(0, left).Select(i => To(TestRelay.Endpoint, i)));
        Assert.Equal("commands-in-flight", Assert.IsType<ConversationReply.Overloaded>(await To(TestRelay.Endpoint, left)).Bound);
        gate.SetResult();
        Assert.All(await Task.WhenAll(sent), r => Assert.IsType<ConversationReply.Done>(r));
    }

    [Fact]
    public async Task Invariant7_Bounded_a_full_stream_refuses_both_ways_until_acknowledged()
    {
        var time = new ManualTime();
        await using var relay = await TestRelay.StartAsync(new TestRelay { Time = time, MaxWireBytes = 0, Policy = OtrPolicy.AllowV3 });
        var text = new byte[OtrLimits.MaxPlaintextBytes];
        text.AsSpan().Fill((byte)'x');
        int sent = 0;
        ConversationReply reply;
        while ((reply = await relay.AskAsync(new Command.SendText($"r{sent}", text))) is ConversationReply.Done && sent < 2000) sent++;
        Assert.Equal("wire-stream", Assert.IsType<ConversationReply.Overloaded>(reply).Bound);
        // Up to the bound, and over it by less than one unit.
        Assert.InRange(sent * (long)text.Length, StorageLimits.MaxStreamBytes - 2 * text.Length, StorageLimits.MaxStreamBytes + text.Length);
        // Inbound too: it could have to answer. Nothing is stepped through, so the same id is taken in later.
        Assert.IsType<ConversationReply.Overloaded>(await relay.ReceiveAsync("m1", "hello"u8.ToArray()));
        Assert.Empty(await relay.ReadAsync(TestRelay.Events));

        await relay.Relay.Outbox.AcknowledgeAsync(TestRelay.Wire, (ulong)sent / 2, default);
        Assert.IsType<ConversationReply.Done>(await relay.ReceiveAsync("m1", "hello"u8.ToArray()));
        Assert.IsType<ConversationReply.Done>(await relay.AskAsync(new Command.SendText($"r{sent}", text)));
    }

    [Fact]
    public async Task Invariant7_Bounded_notices_that_a_stranger_can_cause()
    {
        var time = new ManualTime();
        await using var relay = await TestRelay.StartAsync(new TestRelay { Time = time });
        for (int i = 0; i < RelayLimits.MaxNoticesPerWindow + 5; i++) await relay.ReceiveAsync($"m{i}", "?OTR Error: x"u8.ToArray());
        Assert.Equal(RelayLimits.MaxNoticesPerWindow, (await relay.ReadAsync(TestRelay.Events)).Count);
        time.Advance(RelayLimits.NoticeWindow);
        await relay.ReceiveAsync("later", "?OTR Error: x"u8.ToArray());
        Assert.Equal(RelayLimits.MaxNoticesPerWindow + 1, (await relay.ReadAsync(TestRelay.Events)).Count);
    }
}
