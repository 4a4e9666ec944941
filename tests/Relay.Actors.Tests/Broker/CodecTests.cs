using System.Diagnostics;
using System.Text;
using Otr.Core;
using Relay.Actors.Cluster.Broker;
using Relay.Actors.Shards;
using Relay.Storage.Sealing;

namespace Relay.Actors.Tests.Broker;

/// <summary>What travels over the broker.</summary>
public sealed class CodecTests : IDisposable
{
    private static readonly Correlation Asker = new(KeyedIds.Base32(7), ulong.MaxValue);
    private static readonly string Conversation = KeyedIds.Base32(9);

    private readonly Sealer _sealer;

    public CodecTests()
    {
        using var key = new SealingKey(new byte[32]);
        _sealer = new Sealer(key, SystemRandom.Instance.Fill);
    }

    public void Dispose() => _sealer.Dispose();

    [Fact]
    public void EveryKindOfCommandComesBackAsItWas()
    {
        Command?[] commands = [null, new Command.ReceiveWire("id é", "?OTR:x"u8.ToArray()), new Command.Send("2", new byte[65_000]), new Command.Start("3"), new Command.End("4")];
        Assert.Equal(Kinds(typeof(Command)), commands.OfType<Command>().Select(c => c.GetType().Name).Order());
        foreach (var command in commands)
        {
            foreach (var peer in (string?[])[null, "", "romeo@example.net"])
            {
                var trace = new ActivityContext(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded);
                var body = CommandCodec.Seal(_sealer, Asker, new ShardCommand("e", Conversation, peer, command), -5, trace);

                var (opened, _) = CommandCodec.Open(_sealer, Asker, Conversation, body);

                Assert.NotNull(opened);
                Assert.Equal((-5, trace.TraceId, trace.SpanId, trace.TraceFlags, true), (opened.SentMs, opened.Caller.TraceId, opened.Caller.SpanId, opened.Caller.TraceFlags, opened.Caller.IsRemote));
                Assert.Equal(("e", Conversation, peer), (opened.Command.EndpointId, opened.Command.ConversationId, opened.Command.Peer));
                Assert.Equal((command?.GetType(), command?.RequestId, Text(command)), (opened.Command.Command?.GetType(), opened.Command.Command?.RequestId, Text(opened.Command.Command)));
            }
        }
    }

    [Fact]
    public void EveryKindOfReplyComesBackAsItWas()
    {
        Reply[] replies =
        [
            new Reply.Done(Conversation, MessageState.Encrypted, null), new Reply.Done(Conversation, MessageState.Finished, SendDisposition.Held),
            new Reply.WireRejected(Conversation, Enum.GetValues<RejectReason>()[^1]), new Reply.Refused(Conversation, RefusalReason.TooLarge), new Reply.NotFound("endpoint"),
            new Reply.RequestIdReused(), new Reply.Overloaded("stream", TimeSpan.FromMilliseconds(1234.5)), new Reply.Unavailable("store", TimeSpan.FromSeconds(2)), new Reply.Quarantined(Conversation),
        ];
        Assert.Equal(Kinds(typeof(Reply)), replies.Select(r => r.GetType().Name).Distinct().Order());
        foreach (var reply in replies)
        {
            var body = ReplyCodec.Seal(_sealer, Asker, reply);
            Assert.Equal(reply, ReplyCodec.TryOpen(_sealer, Asker, body));
            Assert.Null(ReplyCodec.TryOpen(_sealer, Asker with { Number = 1 }, body));
        }
    }

    [Fact]
    public void ACutOrPaddedCommandIsUndecodableAndNeverAFault()
    {
        // The clear form, opened by what seals it, cut at each place and sealed again.
        var place = new RowKey(Asker.Node, Conversation, Asker.Number);
        var body = CommandCodec.Seal(_sealer, Asker, new ShardCommand("e", Conversation, "p", new Command.Send("id", "text"u8.ToArray())), 1, default);
        var clear = _sealer.TryOpen(SealedTable.Command, place, body)!;
        for (int length = 1; length < clear.Length; length++)
            Assert.Equal((null, ParkingReason.Undecodable), CommandCodec.Open(_sealer, Asker, Conversation, _sealer.Seal(SealedTable.Command, place, clear.AsSpan(0, length))));
        Assert.Equal((null, ParkingReason.Undecodable), CommandCodec.Open(_sealer, Asker, Conversation, _sealer.Seal(SealedTable.Command, place, [.. clear, 0])));
        for (int n = 0; n < clear.Length; n++)
        {
            var altered = (byte[])clear.Clone();
            altered[n] ^= 0x80;
            CommandCodec.Open(_sealer, Asker, Conversation, _sealer.Seal(SealedTable.Command, place, altered));
        }
    }

    [Theory]
    [InlineData("", false)]
    [InlineData(".1", false)]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaa.", false)]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaa.-1", false)]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaa.18446744073709551616", false)]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAA.1", false)]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaa.1", false)]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaa.0", true)]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaa.18446744073709551615", true)]
    public void ACorrelationIsReadStrictly(string text, bool isOurs)
    {
        Assert.Equal(isOurs, Correlation.TryParse(text) is { } read && read.ToString() == text);
    }

    private static string Text(Command? command) => Encoding.UTF8.GetString((command switch { Command.Send s => s.Text, Command.ReceiveWire w => w.Text, _ => default }).Span);

    private static IEnumerable<string> Kinds(Type type) => type.GetNestedTypes().Where(t => t.IsSubclassOf(type)).Select(t => t.Name).Order();
}
