using System.Security.Cryptography;
using Otr.Core;
using Relay.Storage.Sealing;

namespace Relay.Actors.Cluster.Broker;

/// <summary>Answers on the broker: version (1) ‖ kind ‖ fields, sealed and bound to the correlation of what was asked.</summary>
internal static class ReplyCodec
{
    private const byte Version = 1;
    private const byte Done = 1, WireRejected = 2, Refused = 3, NotFound = 4, RequestIdReused = 5, Overloaded = 6, Unavailable = 7, Quarantined = 8;

    public static byte[] Seal(Sealer sealer, in Correlation correlation, Reply reply)
    {
        using var row = new RowWriter();
        row.Byte(Version);
        Write(row, reply);
        return sealer.Seal(SealedTable.Answer, Key(correlation), row.Written);
    }

    /// <returns>Null if it was not sealed by this cluster for this request, or is of an unknown version.</returns>
    public static Reply? TryOpen(Sealer sealer, in Correlation correlation, ReadOnlySpan<byte> body)
    {
        if (sealer.TryOpen(SealedTable.Answer, Key(correlation), body) is not { } clear) return null;
        var row = new RowReader(clear);
        var reply = row.Byte() == Version ? Read(ref row) : null;
        CryptographicOperations.ZeroMemory(clear);
        return row.IsComplete ? reply : null;
    }

    private static RowKey Key(in Correlation correlation) => new(correlation.Node, "", correlation.Number);

    private static void Write(RowWriter row, Reply reply)
    {
        switch (reply)
        {
            case Reply.Done done:
                row.Byte(Done);
                row.Text(done.ConversationId);
                row.Name(done.State);
                row.Bool(done.Disposition is not null);
                if (done.Disposition is { } disposition) row.Name(disposition);
                break;
            case Reply.WireRejected rejected:
                row.Byte(WireRejected);
                row.Text(rejected.ConversationId);
                row.Name(rejected.Reason);
                break;
            case Reply.Refused refused:
                row.Byte(Refused);
                row.Text(refused.ConversationId);
                row.Name(refused.Reason);
                break;
            case Reply.NotFound notFound:
                row.Byte(NotFound);
                row.Text(notFound.What);
                break;
            case Reply.RequestIdReused:
                row.Byte(RequestIdReused);
                break;
            case Reply.Overloaded overloaded:
                row.Byte(Overloaded);
                row.Text(overloaded.Bound);
                row.Int64(overloaded.RetryAfter.Ticks);
                break;
            case Reply.Unavailable unavailable:
                row.Byte(Unavailable);
                row.Text(unavailable.Reason);
                row.Int64(unavailable.RetryAfter.Ticks);
                break;
            case Reply.Quarantined quarantined:
                row.Byte(Quarantined);
                row.Text(quarantined.ConversationId);
                break;
            default:
                throw new ArgumentException($"A {reply.GetType().Name} has no form on the broker.", nameof(reply));
        }
    }

    private static Reply? Read(ref RowReader row)
    {
        switch (row.Byte())
        {
            case Done: return new Reply.Done(row.Text(), row.Name<MessageState>(), row.Bool() ? row.Name<SendDisposition>() : null);
            case WireRejected: return new Reply.WireRejected(row.Text(), row.Name<RejectReason>());
            case Refused: return new Reply.Refused(row.Text(), row.Name<RefusalReason>());
            case NotFound: return new Reply.NotFound(row.Text());
            case RequestIdReused: return new Reply.RequestIdReused();
            case Overloaded: return new Reply.Overloaded(row.Text(), new TimeSpan(row.Int64()));
            case Unavailable: return new Reply.Unavailable(row.Text(), new TimeSpan(row.Int64()));
            case Quarantined: return new Reply.Quarantined(row.Text());
            default:
                row.Fail();
                return null;
        }
    }
}
