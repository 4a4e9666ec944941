using System.Buffers.Binary;
using Otr.Core.V4.Ratchet;
using Otr.Core.Wire;

namespace Otr.Core.V4;

/// <summary>
/// Extra symmetric keys of a data message (checklist C9.5): one for each TLV that asks for one, each hashed from the one before, the first
/// from the message's own.
/// </summary>
internal static class ExtraKeys
{
    /// <summary>TLV type; in version 3 this number begins SMP with a question.</summary>
    public const ushort Tlv = 7;

    /// <summary>Bytes of the value that are hashed, filled up with zeros; they are the use.</summary>
    private const int ContextSize = sizeof(uint);

    /// <summary>The keys that a message asks for, at most <see cref="OtrLimits.MaxExtraKeys"/>.</summary>
    /// <param name="base">The message's own, 64 bytes.</param>
    public static OtrEffect.ExtraKey[] Read(ReadOnlySpan<byte> plaintext, ReadOnlySpan<byte> @base)
    {
        List<OtrEffect.ExtraKey>? keys = null;
        var tlvs = new TlvReader(plaintext, out _);
        for (int index = 0; tlvs.TryRead(out var type, out var value); index++)
        {
            if (type != Tlv) continue;
            if (keys is { Count: OtrLimits.MaxExtraKeys }) break;
            var key = Derive((byte)index, value, keys is null ? @base : keys[^1].Key);
            var data = value[Math.Min(ContextSize, value.Length)..].ToArray();
            (keys ??= []).Add(new OtrEffect.ExtraKey(false, Context(value), data, key));
        }
        return keys is null ? [] : [.. keys];
    }

    /// <summary>SHAKE-256("OTRv4" ‖ BYTE index ‖ context ‖ previous key, 64).</summary>
    /// <param name="index">Place of the TLV among all of its message, from 0.</param>
    /// <param name="value">The TLV's.</param>
    /// <param name="previous">The key before; at first the message's own.</param>
    public static byte[] Derive(byte index, ReadOnlySpan<byte> value, ReadOnlySpan<byte> previous)
    {
        Span<byte> context = stackalloc byte[ContextSize];
        BinaryPrimitives.WriteUInt32BigEndian(context, Context(value));
        var shake = Kdf.Begin(index);
        shake.Absorb(context);
        shake.Absorb(previous);
        var key = new byte[MessageKeys.KeySize];
        shake.Squeeze(key);
        shake.Dispose();
        return key;
    }

    private static uint Context(ReadOnlySpan<byte> value)
    {
        uint context = 0;
        for (int i = 0; i < ContextSize; i++) context = context << 8 | (i < value.Length ? value[i] : 0u);
        return context;
    }
}
