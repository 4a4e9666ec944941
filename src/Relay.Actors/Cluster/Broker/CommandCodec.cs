using System.Diagnostics;
using System.Security.Cryptography;
using Relay.Actors.Shards;
using Relay.Storage.Sealing;

namespace Relay.Actors.Cluster.Broker;

/// <summary>A command as it was taken off a queue.</summary>
/// <param name="SentMs">When it was asked, by the asking node's clock.</param>
/// <param name="Caller">The span it was asked in.</param>
internal sealed record SealedCommand(ShardCommand Command, long SentMs, ActivityContext Caller);

/// <summary>
/// Commands on the broker: version (1) ‖ time ‖ trace ‖ endpoint ‖ peer ‖ kind ‖ request id ‖ text (‖ the id before it), sealed. The seal is
/// bound to the conversation (the routing key) and to the request's correlation id, so that a command moved to another
/// conversation, or answered as another, does not open.
/// </summary>
internal static class CommandCodec
{
    private const byte Version = 1;
    private const byte Wake = 0, ReceiveWire = 1, Send = 2, Start = 3, End = 4;

    public static byte[] Seal(Sealer sealer, in Correlation correlation, ShardCommand command, long sentMs, ActivityContext caller)
    {
        using var row = new RowWriter();
        row.Byte(Version);
        row.Int64(sentMs);
        WriteTrace(row, caller);
        row.Text(command.EndpointId);
        row.Bool(command.Peer is not null);
        if (command.Peer is not null) row.Text(command.Peer);
        row.Byte(KindOf(command.Command));
        if (command.Command is { } asked)
        {
            row.Text(asked.RequestId);
            row.Bytes(TextOf(asked).Span);
            // An id is never empty.
            if (asked is Command.ReceiveWire wire) row.Text(wire.After ?? "");
        }
        return sealer.Seal(SealedTable.Command, Key(correlation, command.ConversationId), row.Written);
    }

    /// <returns>The command, or why there is none.</returns>
    public static (SealedCommand? Command, ParkingReason Reason) Open(Sealer sealer, in Correlation correlation, string conversationId, ReadOnlySpan<byte> body)
    {
        if (sealer.TryOpen(SealedTable.Command, Key(correlation, conversationId), body) is not { } clear) return (null, ParkingReason.SealFails);
        try
        {
            var row = new RowReader(clear);
            if (row.Byte() != Version) return (null, ParkingReason.UnknownVersion);
            long sent = row.Int64();
            var caller = ReadTrace(ref row);
            var endpoint = row.Text();
            var peer = row.Bool() ? row.Text() : null;
            byte kind = row.Byte();
            Command? command = null;
            if (kind != Wake)
            {
                var requestId = row.Text();
                var text = row.Bytes();
                command = kind switch
                {
                    ReceiveWire => new Command.ReceiveWire(requestId, text.ToArray()) { After = row.Text() is { Length: > 0 } before ? before : null },
                    Send => new Command.Send(requestId, text.ToArray()),
                    Start => new Command.Start(requestId),
                    End => new Command.End(requestId),
                    _ => null,
                };
                if (command is null) row.Fail();
            }
            return row.IsComplete ? (new SealedCommand(new ShardCommand(endpoint, conversationId, peer, command), sent, caller), default) : (null, ParkingReason.Undecodable);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(clear);
        }
    }

    private static RowKey Key(in Correlation correlation, string conversationId) => new(correlation.Node, conversationId, correlation.Number);

    private static byte KindOf(Command? command) => command switch
    {
        null => Wake,
        Command.ReceiveWire => ReceiveWire,
        Command.Send => Send,
        Command.Start => Start,
        Command.End => End,
        _ => throw new ArgumentException($"A {command.GetType().Name} has no form on the broker.", nameof(command)),
    };

    private static ReadOnlyMemory<byte> TextOf(Command command) => command switch
    {
        Command.ReceiveWire wire => wire.Text,
        Command.Send send => send.Text,
        _ => default,
    };

    // W3C trace context, inside the seal: nobody else can put our spans into a trace of theirs.
    private static void WriteTrace(RowWriter row, ActivityContext caller)
    {
        row.Bool(caller.TraceId != default);
        if (caller.TraceId == default) return;
        Span<byte> id = stackalloc byte[16];
        caller.TraceId.CopyTo(id);
        row.Bytes(id);
        caller.SpanId.CopyTo(id[..8]);
        row.Bytes(id[..8]);
        row.Byte((byte)caller.TraceFlags);
    }

    private static ActivityContext ReadTrace(ref RowReader row)
    {
        if (!row.Bool()) return default;
        var trace = row.Bytes();
        var span = row.Bytes();
        var flags = (ActivityTraceFlags)(row.Byte() & 1);
        if (trace.Length == 16 && span.Length == 8) return new ActivityContext(ActivityTraceId.CreateFromBytes(trace), ActivitySpanId.CreateFromBytes(span), flags, isRemote: true);
        row.Fail();
        return default;
    }
}
