using Otr.Core.Wire;

namespace Otr.Core.V3;

/// <summary>The Data Message (spec v3, "Data Message"), parsed but not authenticated.</summary>
internal readonly ref struct DataMessage
{
    public const int MacLength = 20;

    public byte Flags { get; private init; }
    public uint SenderKeyId { get; private init; }
    public uint RecipientKeyId { get; private init; }
    /// <summary>The sender's next D-H public key, minimal big-endian.</summary>
    public ReadOnlySpan<byte> NextY { get; private init; }
    /// <summary>Top half of the initial AES counter.</summary>
    public ulong Counter { get; private init; }
    public ReadOnlySpan<byte> Ciphertext { get; private init; }
    /// <summary>Everything that the MAC covers: from the version up to and including the ciphertext.</summary>
    public ReadOnlySpan<byte> Authenticated { get; private init; }
    public ReadOnlySpan<byte> Mac { get; private init; }

    /// <summary>Reads what follows the header. Revealed MAC keys are measured, not used.</summary>
    /// <param name="whole">The message from its version on.</param>
    /// <param name="reader">Positioned behind the header of <paramref name="whole"/>.</param>
    public static bool TryParse(ReadOnlySpan<byte> whole, ref OtrReader reader, out DataMessage message)
    {
        var flags = reader.ReadByte();
        uint sender = reader.ReadUInt32(), recipient = reader.ReadUInt32();
        var y = reader.ReadMpi();
        var counter = reader.ReadUInt64();
        var ciphertext = reader.ReadData();
        var authenticated = reader.Position;
        var mac = reader.ReadFixed(MacLength);
        var revealed = reader.ReadData();
        // The flags alone are read from what cannot be: they say whether the sender wants to hear of it.
        message = new DataMessage { Flags = flags };
        if (!reader.IsComplete || revealed.Length > OtrLimits.MaxRevealedMacKeyBytes) return false;
        message = new DataMessage
        {
            Flags = flags, SenderKeyId = sender, RecipientKeyId = recipient, NextY = y, Counter = counter,
            Ciphertext = ciphertext, Authenticated = whole[..authenticated], Mac = mac,
        };
        return true;
    }
}
