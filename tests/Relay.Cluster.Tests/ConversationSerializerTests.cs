using System.Diagnostics;
using System.Runtime.Serialization;
using System.Text;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Serialization;
using Otr.Core;
using Relay.Actors;
using Relay.Actors.Cluster;
using Relay.Actors.Conversations;
using Relay.Actors.Files;
using Relay.Actors.Subscriptions;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Cluster.Tests;

/// <summary>What crosses between nodes: sealed, complete, of registered kinds, and nothing else.</summary>
public sealed class ConversationSerializerTests : IDisposable
{
    private static readonly ConversationKey Key = new("e", "c");

    private readonly Sealer _sealer;
    private readonly ActorSystem _system;
    private readonly ConversationSerializer _serializer;

    public ConversationSerializerTests()
    {
        using var key = new SealingKey(TestNode.Key);
        _sealer = new Sealer(key, SystemRandom.Instance.Fill);
        // The product's settings, without a port.
        const string local = "akka { actor.provider = local, loggers = [\"Akka.Event.DefaultLogger\"] }";
        var config = Akka.Configuration.ConfigurationFactory.ParseString(local).WithFallback(new ClusterOptions { Host = "127.0.0.1" }.ToConfig());
        _system = ActorSystem.Create("relay", ActorSystemSetup.Create(BootstrapSetup.Create().WithConfig(config),
            new ConversationSerializerSetup(_sealer)));
        _serializer = (ConversationSerializer)_system.Serialization.FindSerializerForType(typeof(ConversationCommand));
    }

    public void Dispose()
    {
        _system.Dispose();
        _sealer.Dispose();
    }

    private T There<T>(T message) where T : notnull => (T)_serializer.FromBinary(_serializer.ToBinary(message),
        _serializer.Manifest(message));

    public static TheoryData<int> CommandNumbers => [.. Enumerable.Range(0, Commands.Length)];

    private static readonly Command[] Commands =
    [
        new Command.ReceiveWire("id é", "?OTR:x"u8.ToArray()), new Command.ReceiveWire("1", Array.Empty<byte>()) { After = "0" },
            new Command.SendText("2", new byte[65_000]),
        new Command.StartSession("3"), new Command.EndSession("4"),
        new Command.StartSmp("5", "secret"u8.ToArray(), "où ?"u8.ToArray()), new Command.AnswerSmp("6", ulong.MaxValue, "secret"u8.ToArray()),
        new Command.AbortSmp("7", 3), new Command.SetTrust("8", new Fingerprint(new byte[20]), TrustLevel.Smp, null),
        new Command.SetTrust("9", new Fingerprint(new byte[56]), null, "note é"),
        new Command.ImportKeys("14",
            [new IdentityView(new Fingerprint(new byte[20]), TrustLevel.Smp, "note é", DateTimeOffset.UnixEpoch.AddMilliseconds(1), null, DateTimeOffset.UnixEpoch.AddMilliseconds(5)),
                new IdentityView(new Fingerprint(new byte[56]), TrustLevel.Untrusted, "", null, null, null) { Standing = KeyStanding.Refused }],
            new Fingerprint(new byte[56]), 4),
        new Command.ImportKeys("15", [], null, 0),
        new Command.ReceiveWire("10", "x"u8.ToArray()) { NetworkTime = DateTimeOffset.UnixEpoch.AddMilliseconds(1234567) },
        new Command.CancelSend("11", "message"), new Command.SettleSend("12", "message", ulong.MaxValue, "BLOCKED"),
        new Command.SettleSend("13", "message", 0, null), new Command.Delete("16"), new Command.DecideKey("17", new Fingerprint(new byte[20]), true),
        new Command.SetAnswerSecret("18", new SmpSecret("secret"u8)), new Command.SetAnswerSecret("19", null),
        new Command.SetLabels("20", new SortedDictionary<string, string?> { ["a"] = "é", ["b"] = null }, true, ulong.MaxValue),
        new Command.SetLabels("21", new SortedDictionary<string, string?>(), false, null),
        new Command.OfferFile("22", "file", new FileRecord(FileState.Uploading, "p", UInt128.MaxValue, "é.txt", "text/plain", 7, new byte[32],
            "https://x.example/", new byte[32], new byte[69], 5), ulong.MaxValue, -6),
        new Command.ReportFile("23", new FileView("e", "f", "c", "p", "é.txt", "", 7, 6, new byte[32], FileState.Damaged, "",
            DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddMilliseconds(1)) { TransferId = 5, BlobStored = 4, NextBlobPart = 3 }),
    ];

    [Theory, MemberData(nameof(CommandNumbers))]
    public void Every_kind_of_command_arrives_as_it_was(int number)
    {
        foreach (var peer in (string?[])[null, "", "romeo@example.net"])
        {
            var trace = new ActivityContext(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded);
            var sent = new ConversationCommand(Key, peer, Commands[number], -5, trace) { IsRepeated = peer is null };
            var arrived = There(sent);
            Assert.Equal((Key, peer, -5, sent.IsRepeated), (arrived.Key, arrived.Peer, arrived.ExpiresAtMs, arrived.IsRepeated));
            Assert.Equal((trace.TraceId, trace.SpanId, trace.TraceFlags, true),
                (arrived.TraceContext.TraceId, arrived.TraceContext.SpanId, arrived.TraceContext.TraceFlags,
                arrived.TraceContext.IsRemote));
            Assert.Equal((sent.Command.GetType(), sent.Command.RequestId, Text(sent.Command), (sent.Command as Command.ReceiveWire)?.After),
                (arrived.Command.GetType(), arrived.Command.RequestId, Text(arrived.Command),
                    (arrived.Command as Command.ReceiveWire)?.After));
            Assert.Equal((sent.Command as Command.ReceiveWire)?.NetworkTime, (arrived.Command as Command.ReceiveWire)?.NetworkTime);
            // Of a record without bytes all is compared.
            if (sent.Command is Command.CancelSend or Command.SettleSend) Assert.Equal(sent.Command, arrived.Command);
            Assert.Equal(default, There(sent with { TraceContext = default }).TraceContext);
        }
    }

    [Fact]
    public void All_kinds_of_commands_and_replies_are_tested()
    {
        Assert.Equal(Kinds(typeof(Command)), Commands.Select(c => c.GetType().Name).Distinct().Order());
        Assert.Equal(Kinds(typeof(ConversationReply)), Replies.Select(r => r.GetType().Name).Distinct().Order());
    }

    private static readonly ConversationReply[] Replies =
    [
        new ConversationReply.Done("c", MessageState.Encrypted, null) { Verification = 12 },
            new ConversationReply.Done("c", MessageState.Finished, SendDisposition.Held) { Sent = new SentReference(UInt128.MaxValue, -5) },
        new ConversationReply.WireRejected("c", Enum.GetValues<RejectReason>()[^1]),
            new ConversationReply.Refused("c", RefusalReason.TooLarge), new ConversationReply.NotFound("endpoint"),
        new ConversationReply.RequestIdReused(), new ConversationReply.Overloaded("stream", TimeSpan.FromMilliseconds(1234.5)),
            new ConversationReply.Unavailable("store", TimeSpan.FromSeconds(2)),
        new ConversationReply.Quarantined("c"), new ConversationReply.Conflict(),
    ];

    [Fact]
    public void Every_kind_of_reply_arrives_with_the_request_that_it_answers()
    {
        foreach (var reply in Replies)
        {
            var sent = new ConversationAnswer(Key, "request é", reply);
            Assert.Equal(sent, There(sent));
        }
    }

    private static readonly SubscriptionRequest[] Requests =
    [
        new SubscriptionRequest.Pull("r", 5, TimeSpan.FromSeconds(2)), new SubscriptionRequest.Acknowledge([1, ulong.MaxValue]),
        new SubscriptionRequest.Reject([7], TimeSpan.FromHours(1), true, "note é"), new SubscriptionRequest.Release("r"),
        new SubscriptionRequest.Describe(), new SubscriptionRequest.Close(), new SubscriptionRequest.ListDeadLetters(3, 9), new SubscriptionRequest.RetryDeadLetters([]),
        new SubscriptionRequest.DropDeadLetters([4]), new SubscriptionRequest.Seek(null),
        new SubscriptionRequest.Seek(DateTimeOffset.UnixEpoch.AddDays(1)),
    ];

    private static readonly OutboxItem Item = new(9, DateTimeOffset.UnixEpoch.AddSeconds(5), "c", "peer é",
        new OutboxBody.TextReceived("text"u8.ToArray(), true, false, null));

    private static readonly SubscriptionReply[] SubscriptionReplies =
    [
        new SubscriptionReply.Delivered([new DeliveredEvent(Item, 3)], true), new SubscriptionReply.Delivered([], false),
        new SubscriptionReply.Done(4), new SubscriptionReply.Described(ulong.MaxValue, 2, 3, DateTimeOffset.UnixEpoch, 4),
        new SubscriptionReply.Described(0, 0, 0, null, 0) { LastAcknowledged = DateTimeOffset.UnixEpoch, LastRejected = DateTimeOffset.UnixEpoch.AddDays(1), LastNote = "note é" },
        new SubscriptionReply.ListedDeadLetters([new DeadLetterView(Item, 5, DateTimeOffset.UnixEpoch, "note")], true),
        new SubscriptionReply.UnknownCursor(), new SubscriptionReply.Unavailable("store"),
    ];

    [Fact]
    public void Every_request_and_reply_of_a_subscription_arrives()
    {
        Assert.Equal(Kinds(typeof(SubscriptionRequest)), Requests.Select(r => r.GetType().Name).Distinct().Order());
        Assert.Equal(Kinds(typeof(SubscriptionReply)), SubscriptionReplies.Select(r => r.GetType().Name).Distinct().Order());
        var settings = new SubscriptionSettings("audit", EventTypes.Notice | EventTypes.TextReceived, TimeSpan.FromSeconds(7), 3) { Webhook = new WebhookSettings("https://example.org/", "whsec_a", "whsec_b") };
        foreach (var request in Requests)
        {
            var arrived = There(new SubscriptionCommand(SubscriptionKeys.Of("e", "audit"), "id é", settings, request));
            Assert.Equal((SubscriptionKeys.Of("e", "audit"), "id é", settings), (arrived.Key, arrived.RequestId, arrived.Settings));
            Assert.Equivalent(request, arrived.Request, strict: true);
        }
        foreach (var reply in SubscriptionReplies)
        {
            var arrived = There(new SubscriptionAnswer(Key, "id", reply));
            Assert.Equal((Key, "id"), (arrived.Key, arrived.RequestId));
            Assert.Equal(JsonOf(reply), JsonOf(arrived.Reply));
        }

        static string JsonOf(SubscriptionReply reply) => reply switch
        {
            SubscriptionReply.Delivered d => $"{d.IsCaughtUp} {string.Join(',', d.Events.Select(e => $"{e.Delivery} {Of(e.Item)}"))}",
            SubscriptionReply.ListedDeadLetters l => $"{l.HasMore} {string.Join(',', l.DeadLetters.Select(d => $"{d.Deliveries} {d.Time} {d.Note} {Of(d.Item)}"))}",
            SubscriptionReply.Described d => $"{d} {d.LastAcknowledged} {d.LastRejected} {d.LastNote}",
            _ => reply.ToString(),
        };

        static string Of(OutboxItem item) => $"{item.Sequence} {item.Time} {item.ConversationId} {item.Peer} {Encoding.UTF8.GetString(((OutboxBody.TextReceived)item.Body).Utf8.Span)}";
    }

    [Fact]
    public void A_wake_and_the_growth_of_streams_arrive()
    {
        Assert.Equal(new Wake(Key), There(new Wake(Key)));
        StreamGrowth[] streams = [new(new StreamKey("e", StreamKind.Events), 7), new(new StreamKey("f", StreamKind.Wire), ulong.MaxValue)];
        Assert.Equal(streams, There(new StreamsGrew(streams)).Streams);
        Assert.Empty(There(new StreamsGrew([])).Streams);
    }

    [Fact]
    public void Nothing_readable_is_in_it_and_no_other_key_opens_it()
    {
        var sent = new ConversationCommand(new ConversationKey("endpoint-marked", "conversation-marked"), "peer-marked",
            new Command.SendText("id-marked", "text-marked"u8.ToArray()), 1, default);
        var bytes = _serializer.ToBinary(sent);
        Assert.DoesNotContain("marked", Encoding.Latin1.GetString(bytes), StringComparison.Ordinal);
        using var other = new SealingKey([.. Enumerable.Repeat((byte)1, 32)]);
        using var sealer = new Sealer(other, SystemRandom.Instance.Fill);
        Assert.Null(sealer.TryOpen(SealedTable.Command, new RowKey("c", "", 1), bytes));
        Assert.NotNull(_sealer.TryOpen(SealedTable.Command, new RowKey("c", "", 1), bytes));
    }

    [Fact]
    public void A_message_of_one_kind_does_not_open_as_another()
    {
        object[] messages = [TestNode.Command("c"), new Wake(Key),
            new ConversationAnswer(Key, "r", new ConversationReply.RequestIdReused()), new StreamsGrew([]),
            new SubscriptionCommand(Key, "r", new SubscriptionSettings("s", EventTypes.All, default, 0), Requests[0]),
            new SubscriptionAnswer(Key, "r", SubscriptionReplies[0])];
        foreach (var sent in messages)
        {
            foreach (var taken in messages.Where(m => m != sent).Select(_serializer.Manifest).Append("x").Append(""))
                Assert.Throws<SerializationException>(() => _ = _serializer.FromBinary(_serializer.ToBinary(sent), taken));
        }
    }

    [Fact]
    public void A_cut_padded_or_altered_message_is_refused_and_never_a_fault()
    {
        var place = new RowKey("c", "", 1);
        var clear = _sealer.TryOpen(SealedTable.Command, place,
            _serializer.ToBinary(TestNode.Command("c") with { TraceContext = new ActivityContext(ActivityTraceId.CreateRandom(),
            ActivitySpanId.CreateRandom(), default) }))!;
        for (int length = 0; length < clear.Length; length++)
            Assert.Throws<SerializationException>(()
                => _ = _serializer.FromBinary(_sealer.Seal(SealedTable.Command, place, clear.AsSpan(0, length)), "c"));
        Assert.Throws<SerializationException>(() => _ = _serializer.FromBinary(_sealer.Seal(SealedTable.Command, place, [.. clear, 0]),
            "c"));
        var foreign = (byte[])clear.Clone();
        foreign[0]--;
        var refused = Assert.Throws<SerializationException>(() => _ = _serializer.FromBinary(_sealer.Seal(SealedTable.Command, place, foreign), "c"));
        Assert.Contains("another release", refused.Message, StringComparison.Ordinal);
        for (int n = 0; n < clear.Length; n++)
        {
            var altered = (byte[])clear.Clone();
            altered[n] ^= 0x80;
            try
            {
                _serializer.FromBinary(_sealer.Seal(SealedTable.Command, place, altered), "c");
            }
            catch (SerializationException)
            {
                // Or it is another text.
            }
        }
        foreach (var bytes in new byte[][] { [], [1], new byte[44], new byte[45] }) Assert.Throws<SerializationException>(()
            => _ = _serializer.FromBinary(bytes, "c"));
    }

    [Fact]
    public void Types_named_by_the_sender_are_refused()
    {
        // Newtonsoft.Json, Protobuf by type names, remote deployment.
        var system = (ExtendedActorSystem)_system;
        foreach (Serializer serializer in new RefusingSerializer[] { new RefusingJsonSerializer(system),
            new RefusingProtoSerializer(system), new RefusingDaemonCreateSerializer(system) })
        {
            Assert.Throws<SerializationException>(()
                => { _ = _system.Serialization.Deserialize("{}"u8.ToArray(), serializer.Identifier, typeof(Uri)); });
            Assert.Throws<SerializationException>(() => { _ = serializer.ToBinary(new Uri("https://example.net")); });
        }
    }

    [Fact]
    public void A_type_that_is_not_registered_does_not_leave_the_node()
    {
        Assert.ThrowsAny<Exception>(() => _system.Serialization.FindSerializerForType(typeof(Uri))
            .ToBinary(new Uri("https://example.net")));
        // A reply without the request that it answers, above all.
        Assert.ThrowsAny<Exception>(() => _system.Serialization.FindSerializerForType(typeof(ConversationReply.NotFound))
            .ToBinary(new ConversationReply.NotFound("x")));
    }

    private static string Text(Command command) => command switch
    {
        Command.SendText send => Text(send.Text),
        Command.ReceiveWire wire => Text(wire.Text),
        Command.StartSmp smp => $"{Text(smp.Secret)}/{Text(smp.Question)}",
        Command.AnswerSmp smp => $"{smp.Verification}/{Text(smp.Secret)}",
        Command.AbortSmp smp => $"{smp.Verification}",
        Command.SetTrust trust => $"{trust.Fingerprint.ToHex()}/{trust.Trust?.Label ?? "unchanged"}/{trust.Note ?? "unchanged"}",
        Command.ImportKeys import => $"{import.Latest?.ToHex()}/{import.HighestVersion}/" + string.Join(',', import.Identities.Select(i =>
            $"{i.Fingerprint.ToHex()} {i.Trust.Label} {i.Standing} {i.Note} {i.FirstSeen:O} {i.LastSeen:O} {i.Verified:O}")),
        Command.DecideKey decide => $"{decide.Fingerprint.ToHex()}/{decide.IsAccepted}",
        Command.SetAnswerSecret answer => answer.Secret is { } secret ? Text(secret.Utf8) : "none",
        Command.SetLabels labels => string.Join(',', labels.Labels.Select(l => $"{l.Key}={l.Value ?? "removed"}")) + $"/{labels.ReplacesAll}/{labels.Revision}",
        Command.OfferFile offer => $"{offer.FileId}/{Written(offer.File.Write)}/{offer.Revision}/{offer.ExpiresMs}",
        Command.ReportFile report => Written(row => FileViewCodec.Write(row, report.File)),
        _ => "",
    };

    private static string Written(Action<RowWriter> write)
    {
        using var row = new RowWriter();
        write(row);
        return Convert.ToHexString(row.Written);
    }

    private static string Text(ReadOnlyMemory<byte> text) => Encoding.UTF8.GetString(text.Span);

    private static IEnumerable<string> Kinds(Type type) => type.GetNestedTypes(System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.NonPublic).Where(t => t.IsSubclassOf(type)).Select(t => t.Name)
        .Order();
}
