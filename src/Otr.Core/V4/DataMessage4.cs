using Otr.Core.Crypto;
using Otr.Core.Crypto.Ed448;
using Otr.Core.V4.Ratchet;
using Otr.Core.Wire;

namespace Otr.Core.V4;

/// <summary>The data message of version 4 (specification, "Data Message"; checklist C9.1), parsed but not authenticated.</summary>
internal readonly ref struct DataMessage4
{
    public const int MacLength = 64;

    /// <summary>Longest header, ids, keys, lengths and MAC around a ciphertext, without revealed keys; in bytes.</summary>
    public const int Overhead =
        11 + 1 + 3 * sizeof(uint) + Ed448Point.Size + sizeof(uint) + Group3072.ElementSize + sizeof(uint) + MacLength + sizeof(uint);

    public byte Flags { get; private init; }
    public uint PreviousCount { get; private init; }
    public uint RatchetId { get; private init; }
    public uint MessageId { get; private init; }
    public ReadOnlySpan<byte> Ecdh { get; private init; }
    /// <summary>Without leading zeros; empty for none.</summary>
    public ReadOnlySpan<byte> Dh { get; private init; }
    public ReadOnlySpan<byte> Ciphertext { get; private init; }
    /// <summary>Everything that the MAC covers: from the version up to and including the ciphertext.</summary>
    public ReadOnlySpan<byte> Authenticated { get; private init; }
    public ReadOnlySpan<byte> Mac { get; private init; }

    /// <summary>Reads what follows the header. Revealed MAC keys are measured, not used: anybody can alter them.</summary>
    /// <param name="whole">The message from its version on.</param>
    /// <param name="reader">Positioned behind the header of <paramref name="whole"/>.</param>
    public static bool TryParse(ReadOnlySpan<byte> whole, ref OtrReader reader, out DataMessage4 message)
    {
        var flags = reader.ReadByte();
        uint previous = reader.ReadUInt32(), ratchet = reader.ReadUInt32(), number = reader.ReadUInt32();
        var ecdh = reader.ReadFixed(Ed448Point.Size);
        var dh = reader.ReadMpi();
        var ciphertext = reader.ReadData();
        var authenticated = reader.Position;
        var mac = reader.ReadFixed(MacLength);
        var revealed = reader.ReadData();
        // The flags alone are read from what cannot be: they say whether the sender wants to hear of it.
        message = new DataMessage4 { Flags = flags };
        if (!reader.IsComplete || dh.Length > Group3072.ElementSize) return false;
        if (revealed.Length > OtrLimits.MaxRevealedMacKeyBytes || revealed.Length % MessageKeys.KeySize != 0) return false;
        message = new DataMessage4
        {
            Flags = flags, PreviousCount = previous, RatchetId = ratchet, MessageId = number, Ecdh = ecdh, Dh = dh,
            Ciphertext = ciphertext, Authenticated = whole[..authenticated], Mac = mac,
        };
        return true;
    }

    /// <summary>What of it belongs to the ratchet.</summary>
    /// <param name="dh">384 bytes, which take the D-H key.</param>
    public RatchetHeader Header(Span<byte> dh)
    {
        if (Dh.IsEmpty) return new RatchetHeader(PreviousCount, RatchetId, MessageId, Ecdh, default);
        dh.Clear();
        Dh.CopyTo(dh[(dh.Length - Dh.Length)..]);
        return new RatchetHeader(PreviousCount, RatchetId, MessageId, Ecdh, dh);
    }
}
