using Microsoft.Data.Sqlite;
using Otr.Core;
using Relay.Actors.Tests.Harness;

namespace Relay.Actors.Tests;

/// <summary>Coming into memory, leaving it, waking in time, being damaged, and closing.</summary>
public class LifecycleTests
{
    [Fact]
    public async Task Passivated_in_the_middle_of_a_session_it_goes_on()
    {
        await using var relay = await TestRelay.StartAsync(new TestRelay { Options = new RelayNodeOptions { MaxResidentConversations = 2 }, Policy = OtrPolicy.AllowV3 });
        using var world = new World();
        world.Contact(new OtrInput.StartRequested());
        await world.PumpAsync(relay);
        for (int round = 0; round < 4; round++)
        {
            for (int other = 0; other < 4; other++)
                Assert.IsType<ConversationReply.Done>(await relay.AskAsync(new Command.ReceiveWire($"o{round}", "hi"u8.ToArray()), new ConversationAddress.ByPeer(TestRelay.Endpoint, $"other{other}")));
            Assert.IsType<ConversationReply.Done>(await relay.SendAsync($"r{round}", $"bot {round}"));
            world.ContactSays($"contact {round}");
            await world.PumpAsync(relay);
            // The bound, and those on their way out.
            Assert.InRange(relay.Local.Resident, 0, 4);
        }
        Assert.Equal(["bot 0", "bot 1", "bot 2", "bot 3"], world.ContactReceived);
        Assert.Equal(["contact 0", "contact 1", "contact 2", "contact 3"], world.BotReceived);
        Assert.Equal(1, world.KeyExchanges);
    }

    [Fact]
    public async Task A_held_message_expires_and_its_request_is_named()
    {
        var time = new ManualTime();
        await using var relay = await TestRelay.StartAsync(new TestRelay { Time = time });
        Assert.Equal(SendDisposition.Held, Assert.IsType<ConversationReply.Done>(await relay.SendAsync("held", "too late")).Disposition);
        time.Advance(TimeSpan.FromMilliseconds(OtrLimits.HeldMessageLifetime) + TimeSpan.FromSeconds(1));
        var dropped = Assert.IsType<OutboxBody.MessageDropped>((await relay.NextAsync(TestRelay.Events)).Body);
        Assert.Equal(("held", "EXPIRED"), (dropped.RequestId, dropped.Reason));
    }

    [Fact]
    public async Task Deadlines_survive_a_restart()
    {
        var time = new ManualTime();
        await using var relay = await TestRelay.StartAsync(new TestRelay { Time = time });
        await relay.SendAsync("held", "too late");
        await relay.CloseAsync();
        time.Advance(TimeSpan.FromHours(1));
        await relay.OpenAsync();
        // Nobody speaks to the conversation: the stored deadline wakes it.
        Assert.Equal("held", Assert.IsType<OutboxBody.MessageDropped>((await relay.NextAsync(TestRelay.Events)).Body).RequestId);
    }

    [Fact]
    public async Task A_message_dropped_with_the_end_is_named_too()
    {
        await using var relay = await TestRelay.StartAsync();
        await relay.SendAsync("held", "never");
        await relay.ReopenAsync();
        Assert.IsType<ConversationReply.Done>(await relay.AskAsync(new Command.EndSession("end")));
        var dropped = Assert.IsType<OutboxBody.MessageDropped>((await relay.NextAsync(TestRelay.Events)).Body);
        Assert.Equal(("held", "NOT_SENT"), (dropped.RequestId, dropped.Reason));
    }

    [Theory]
    [InlineData("UPDATE conversation SET sealed = zeroblob(length(sealed)) WHERE rowid = 1")]
    [InlineData("UPDATE conversation SET version = version + 1 WHERE rowid = 1")]
    [InlineData("UPDATE conversation SET sealed = (SELECT sealed FROM conversation WHERE rowid = 2) WHERE rowid = 1")]
    [InlineData("UPDATE seen SET sealed = CAST(substr(sealed, 1, length(sealed) - 1) || x'00' AS BLOB) WHERE conversation = (SELECT id FROM conversation WHERE rowid = 1)")]
    public async Task A_tampered_row_quarantines_its_conversation_and_others_go_on(string tamper)
    {
        var logs = new RecordingLoggers();
        await using var relay = await TestRelay.StartAsync(new TestRelay { Loggers = logs });
        var other = new ConversationAddress.ByPeer(TestRelay.Endpoint, "other");
        var id = Assert.IsType<ConversationReply.Done>(await relay.SendAsync("r1", "x")).ConversationId;
        Assert.IsType<ConversationReply.Done>(await relay.AskAsync(new Command.SendText("r1", "x"u8.ToArray()), other));
        // Enough for a row of ids.
        for (int i = 1; i < RelayLimits.MaxTailIds; i++) await relay.SendAsync($"filler {i}", "x");
        await relay.CloseAsync();
        Execute(relay, tamper);
        await relay.OpenAsync();
        Assert.Equal(id, Assert.IsType<ConversationReply.Quarantined>(await relay.SendAsync("r2", "x")).ConversationId);
        Assert.IsType<ConversationReply.Quarantined>(await relay.SendAsync("r1", "x"));
        Assert.IsType<ConversationReply.Done>(await relay.AskAsync(new Command.SendText("r2", "x"u8.ToArray()), other));
        if (!tamper.StartsWith("UPDATE seen", StringComparison.Ordinal))
        {
            // Shown as what it is, beside the others; only the ids seen are not looked at to show a conversation.
            var shown = (await relay.Relay.GetConversationAsync(TestRelay.Endpoint, id, default))!;
            Assert.Equal((true, id, ""), (shown.IsQuarantined, shown.Id, shown.Peer));
            Assert.Equal([(id, true)], (await relay.Relay.ListConversationsAsync(TestRelay.Endpoint, null, 10, default)).Where(c => c.Peer != "other").Select(c => (c.Id, c.IsQuarantined)));
        }
        Assert.Contains(await relay.Relay.ListConversationsAsync(TestRelay.Endpoint, null, 10, default), c => c is { IsQuarantined: false, Peer: "other" });
        var line = Assert.Single(logs.Lines.Distinct(), l => l.StartsWith("110 ", StringComparison.Ordinal));
        Assert.Contains(id, line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tampered_stream_item_is_a_notice_and_the_stream_goes_on()
    {
        await using var relay = await TestRelay.StartAsync(new TestRelay { Policy = OtrPolicy.AllowV3 });
        foreach (var text in new[] { "one", "two", "three" }) await relay.SendAsync(text, text);
        await relay.CloseAsync();
        // The first in the second's place.
        Execute(relay, "UPDATE outbox SET sealed = (SELECT sealed FROM outbox WHERE kind = 2 AND sequence = 1) WHERE kind = 2 AND sequence = 2");
        await relay.OpenAsync();
        var items = await relay.ReadAsync(TestRelay.Wire);
        Assert.Equal([1UL, 2UL, 3UL], items.Select(i => i.Sequence));
        Assert.Equal("DAMAGED", Assert.IsType<OutboxBody.Notice>(items[1].Body).Code);
        Assert.Equal("three"u8.ToArray(), Assert.IsType<OutboxBody.WireText>(items[2].Body).Text.ToArray());
    }

    [Fact]
    public async Task A_tampered_endpoint_quarantines_its_conversations_only()
    {
        await using var relay = await TestRelay.StartAsync();
        Assert.IsType<CreateEndpointReply.Created>(await relay.CreateEndpointAsync("second", "other", "other@example.net", 2));
        await relay.CloseAsync();
        Execute(relay, "UPDATE endpoint SET sealed = (SELECT sealed FROM endpoint WHERE id = 'other') WHERE id = 'bot'");
        await relay.OpenAsync();
        Assert.IsType<ConversationReply.Quarantined>(await relay.SendAsync("r1", "x"));
        Assert.Null(await relay.Relay.Endpoints.GetAsync(TestRelay.Endpoint, default));
        Assert.IsType<ConversationReply.Done>(await relay.AskAsync(new Command.StartSession("r1"), new ConversationAddress.ByPeer("other", "peer")));
    }

    [Fact]
    public async Task Drain_finishes_what_is_in_flight_and_refuses_the_rest()
    {
        await using var relay = await TestRelay.StartAsync(new TestRelay { Policy = OtrPolicy.AllowV3 });
        var gate = new TaskCompletionSource();
        relay.Store.Gate = gate.Task;
        var inFlight = relay.SendAsync("r1", "x");
        await relay.Store.AtGate.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.True(relay.Relay.IsReady);
        var draining = relay.Relay.DrainAsync(default);
        await relay.Relay.Draining.WaitAsync();
        Assert.False(relay.Relay.IsReady);
        Assert.Equal("draining", Assert.IsType<ConversationReply.Unavailable>(await relay.SendAsync("r2", "x")).Reason);
        Assert.False(draining.IsCompleted);
        gate.SetResult();
        Assert.IsType<ConversationReply.Done>(await inFlight);
        await draining.WaitAsync(TimeSpan.FromSeconds(30));
        // Streams may still be read and acknowledged until the relay is closed.
        Assert.Single(await relay.ReadAsync(TestRelay.Wire));
        await relay.Relay.Outbox.AcknowledgeAsync(TestRelay.Wire, 1, default);
        await relay.ReopenAsync();
        Assert.IsType<ConversationReply.Done>(await relay.SendAsync("r2", "x"));
    }

    [Fact]
    public async Task Who_waits_for_a_stream_is_woken_or_may_give_up()
    {
        await using var relay = await TestRelay.StartAsync(new TestRelay { Policy = OtrPolicy.AllowV3 });
        using var patience = new CancellationTokenSource();
        var first = relay.Relay.Outbox.WaitAsync(TestRelay.Wire, 0, default).AsTask();
        var second = relay.Relay.Outbox.WaitAsync(TestRelay.Wire, 1, default).AsTask();
        var events = relay.Relay.Outbox.WaitAsync(TestRelay.Events, 0, patience.Token).AsTask();
        await relay.SendAsync("r1", "x");
        await first.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.False(second.IsCompleted);
        await relay.SendAsync("r2", "x");
        await second.WaitAsync(TimeSpan.FromSeconds(30));
        await relay.Relay.Outbox.WaitAsync(TestRelay.Wire, 1, default);
        Assert.False(events.IsCompleted);
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => events);
    }

    private static void Execute(TestRelay relay, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={relay.Database};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        Assert.Equal(1, command.ExecuteNonQuery());
    }
}

internal static class CancellationTokenExtensions
{
    public static async Task WaitAsync(this CancellationToken token)
    {
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = token.Register(cancelled.SetResult);
        await cancelled.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }
}
