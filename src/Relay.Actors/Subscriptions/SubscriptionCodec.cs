using System.Security.Cryptography;
using Relay.Actors.Outbox;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Subscriptions;

/// <summary>The sealed rows of a subscription's state.</summary>
internal static class SubscriptionCodec
{
    private const byte Format = 1;
    // The least that a number, an attempt and a dead letter take in a row.
    private const int NumberSize = 8, AttemptSize = 8 + 4 + 8, DeadLetterSize = 8 + 4 + 4 + 8 + 4 + 1 + 1;

    public static byte[] SealProgress(Sealer sealer, string endpointId, string name, ulong revision, SubscriptionProgress progress)
    {
        using var row = new RowWriter();
        row.Byte(Format);
        row.UInt64(progress.Floor);
        ulong[] settled = [.. progress.Settled];
        row.UInt32((uint)settled.Length);
        foreach (var sequence in settled) row.UInt64(sequence);
        (ulong Sequence, int Attempts, long NotBeforeMs)[] attempted = [.. progress.Attempted];
        row.UInt32((uint)attempted.Length);
        foreach (var (sequence, attempts, notBefore) in attempted)
        {
            row.UInt64(sequence);
            row.UInt32((uint)attempts);
            row.Int64(notBefore);
        }
        return sealer.Seal(SealedTable.Subscription, Row(endpointId, name, SubscriptionPart.Progress, revision), row.Written);
    }

    public static byte[] SealDeadLetters(Sealer sealer, string endpointId, string name, ulong revision, SubscriptionProgress progress)
    {
        using var row = new RowWriter();
        row.Byte(Format);
        SubscriptionProgress.DeadLetter[] letters = [.. progress.DeadLetters];
        row.UInt32((uint)letters.Length);
        foreach (var letter in letters)
        {
            WriteItem(row, letter.Item);
            row.UInt32((uint)letter.Deliveries);
            row.Int64(letter.TimeMs);
            row.Text(letter.Note);
            row.Bool(letter.IsRetried);
            row.Bool(letter.IsKeptApart);
        }
        return sealer.Seal(SealedTable.Subscription, Row(endpointId, name, SubscriptionPart.DeadLetters, revision), row.Written);
    }

    /// <param name="progress">Null: there is none.</param>
    /// <param name="acknowledged">The stream's position, which the progress may lag behind.</param>
    /// <returns>Null if a row does not open.</returns>
    public static SubscriptionProgress? TryOpen(
        Sealer sealer, string endpointId, string name, SubscriptionRow? progress, SubscriptionRow? deadLetters, ulong acknowledged)
    {
        ulong floor = acknowledged;
        ulong[] settled = [];
        (ulong, int, long)[] attempted = [];
        SubscriptionProgress.DeadLetter[] dead = [];
        bool isWhole = (progress is null
            || Read(sealer, Row(endpointId, name, SubscriptionPart.Progress, progress.Revision), progress.Sealed, (ref RowReader row) =>
            {
                floor = Math.Max(floor, row.UInt64());
                settled = new ulong[row.Count(NumberSize)];
                for (int i = 0; i < settled.Length; i++) settled[i] = row.UInt64();
                attempted = new (ulong, int, long)[row.Count(AttemptSize)];
                for (int i = 0; i < attempted.Length; i++) attempted[i] = (row.UInt64(), (int)row.UInt32(), row.Int64());
            }))
            && (deadLetters is null || Read(sealer, Row(endpointId, name, SubscriptionPart.DeadLetters, deadLetters.Revision),
                deadLetters.Sealed, (ref RowReader row) =>
            {
                dead = new SubscriptionProgress.DeadLetter[row.Count(DeadLetterSize)];
                for (int i = 0; i < dead.Length; i++)
                {
                    if (ReadItem(ref row) is not { } item)
                    {
                        row.Fail();
                        return;
                    }
                    dead[i] = new SubscriptionProgress.DeadLetter(item, (int)row.UInt32(), row.Int64(), row.Text())
                    {
                        IsRetried = row.Bool(), IsKeptApart = row.Bool(),
                    };
                }
            }));
        if (!isWhole) return null;
        var state = new SubscriptionProgress(floor);
        state.Restore(settled, attempted, dead);
        return state;
    }

    public static void WriteItem(RowWriter row, OutboxItem item)
    {
        row.UInt64(item.Sequence);
        using var body = new RowWriter();
        OutboxCodec.Write(body, item.Time.ToUnixTimeMilliseconds(), item.ConversationId, item.Peer, item.Body);
        row.Bytes(body.Written);
    }

    /// <returns>Null if it is damaged.</returns>
    public static OutboxItem? ReadItem(ref RowReader row)
    {
        ulong sequence = row.UInt64();
        return OutboxCodec.TryRead(sequence, row.Bytes());
    }

    private delegate void ReadRow(ref RowReader row);

    private static bool Read(Sealer sealer, RowKey key, byte[] value, ReadRow read)
    {
        if (sealer.TryOpen(SealedTable.Subscription, key, value) is not { } clear) return false;
        try
        {
            var row = new RowReader(clear);
            if (row.Byte() != Format) return false;
            read(ref row);
            return row.IsComplete;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(clear);
        }
    }

    private static RowKey Row(string endpointId, string name, SubscriptionPart part, ulong revision)
        => new(endpointId, $"{name}/{part}", revision);
}
