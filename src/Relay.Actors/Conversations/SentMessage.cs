using Relay.Storage.Sealing;

namespace Relay.Actors.Conversations;

/// <summary>
/// What a conversation knows of a message: its entry in the request log has it, so that it costs no row of its own. That the message was
/// carried is not written: it was, once <see cref="End"/> is acknowledged.
/// </summary>
/// <param name="Status">Any but <see cref="MessageStatus.Carried"/>.</param>
/// <param name="Reason">A stable name; empty for none.</param>
/// <param name="UpdatedMs">When it came to its status, in Unix ms.</param>
/// <param name="End">
/// The sequence of its last wire text; 0 if it has none. <see cref="IsRelative"/>: counted from the first row of its commit, from 1.
/// </param>
/// <param name="Pieces">Its wire texts.</param>
internal sealed record SentMessage(MessageStatus Status, string Reason, long UpdatedMs, ulong End, uint Pieces, bool IsRelative)
{
    /// <summary>Bytes of the smallest one.</summary>
    public const int LeastSize = 1 + 4 + 8 + 8 + 4 + 1;

    /// <summary>The message with the sequence of its last wire text, once its commit has one.</summary>
    public SentMessage At(ulong wireBefore) => IsRelative ? this with { End = wireBefore + End, IsRelative = false } : this;

    /// <summary>Whether a sequence of the wire stream is one of its wire texts.</summary>
    public bool Has(ulong sequence) => !IsRelative && sequence <= End && sequence > End - Math.Min(End, Pieces);

    /// <param name="acknowledged">The acknowledged sequence of the wire stream, read before the conversation.</param>
    public MessageView View(UInt128 id, long createdMs, ulong acknowledged)
    {
        bool isCarried = Status is MessageStatus.Encrypted or MessageStatus.Clear && !IsRelative && End <= acknowledged;
        return new MessageView(KeyedIds.Base32(id), isCarried ? MessageStatus.Carried : Status, Reason, Time(createdMs), Time(UpdatedMs));
    }

    public void Write(RowWriter row)
    {
        row.Byte((byte)Status);
        row.Text(Reason);
        row.Int64(UpdatedMs);
        row.UInt64(End);
        row.UInt32(Pieces);
        row.Bool(IsRelative);
    }

    public static SentMessage Read(ref RowReader row)
    {
        var status = (MessageStatus)row.Byte();
        if (!Enum.IsDefined(status)) row.Fail();
        return new SentMessage(status, row.Text(), row.Int64(), row.UInt64(), row.UInt32(), row.Bool());
    }

    private static DateTimeOffset Time(long ms)
        => DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(ms, 0, DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()));
}
