using System.Security.Cryptography;
using Otr.Core.Crypto;
using Otr.Core.Wire;

namespace Otr.Core.V3;

/// <summary>Encrypts and opens data messages with a <see cref="KeyRing"/> (spec v3, "Exchanging data"; checklist A11).</summary>
internal static class DataChannel
{
    /// <summary>Longest header, key ids, next key, counter, lengths and MAC around a ciphertext, without revealed keys; in bytes.</summary>
    public const int Overhead = 11 + 1 + 4 + 4 + 4 + Group1536.ElementSize + 8 + 4 + DataMessage.MacLength + 4;

    /// <summary>Appends the binary data message for a plaintext (text, NUL, TLVs) to an empty <paramref name="message"/>.</summary>
    public static void Seal(KeyRing ring, in MessageHeader header, byte flags, ReadOnlySpan<byte> plaintext, ref OtrWriter message)
    {
        var keys = ring.Sending;
        var reveal = ring.ToReveal;
        header.Write(ref message);
        message.Byte(flags);
        message.UInt32(ring.OurKeyId - 1);
        message.UInt32(ring.TheirKeyId);
        message.Mpi(ring.NextPublic);
        message.UInt64(ring.CountSent(keys));
        message.UInt32((uint)plaintext.Length);
        keys.Encrypt(keys.SendCounter, plaintext, message.Reserve(plaintext.Length));
        Span<byte> mac = stackalloc byte[DataMessage.MacLength];
        keys.MacToSend(message.Written, mac);
        message.Raw(mac);
        message.UInt32((uint)(reveal.Count * SessionKeys.MacKeyLength));
        foreach (var key in reveal) message.Raw(key);
        ring.ToReveal.Clear();
    }

    /// <summary>
    /// Checks and decrypts without changing anything: key ids, then MAC, then counter, then the next key, then the text.
    /// Null: accepted, and <see cref="Accept"/> is to follow.
    /// </summary>
    /// <param name="plaintext">Takes the plaintext.</param>
    public static RejectReason? TryOpen(KeyRing ring, in DataMessage message, ref OtrWriter plaintext)
    {
        var keys = ring.Receiving(message.SenderKeyId, message.RecipientKeyId);
        if (keys is null) return RejectReason.UnknownKeyId;
        Span<byte> mac = stackalloc byte[DataMessage.MacLength];
        keys.MacOfReceived(message.Authenticated, mac);
        if (!CryptographicOperations.FixedTimeEquals(mac, message.Mac)) return RejectReason.BadMac;
        if (message.Counter <= keys.ReceiveCounter) return RejectReason.Replay;
        if (message.SenderKeyId == ring.TheirKeyId)
        {
            if (message.SenderKeyId == uint.MaxValue) return RejectReason.UnknownKeyId;
            if (!IsValidNext(message.NextY, ring)) return RejectReason.InvalidGroupElement;
        }
        keys.Decrypt(message.Counter, message.Ciphertext, plaintext.Reserve(message.Ciphertext.Length));
        return null;
    }

    /// <summary>Makes a message that <see cref="TryOpen"/> verified part of the state.</summary>
    public static void Accept(KeyRing ring, in DataMessage message, IRandomSource random)
    {
        var keys = ring.Receiving(message.SenderKeyId, message.RecipientKeyId)!;
        keys.ReceiveCounter = message.Counter;
        keys.ReceiveMacUsed = true;
        ring.Rotate(message.SenderKeyId, message.RecipientKeyId, message.NextY, random);
    }

    /// <summary>
    /// In range, and neither of the two keys that the peer has: with one of those our counters would start again under the same
    /// keys.
    /// </summary>
    private static bool IsValidNext(ReadOnlySpan<byte> nextY, KeyRing ring)
    {
        if (nextY.Length > Group1536.ElementSize) return false;
        Span<byte> element = stackalloc byte[Group1536.ElementSize];
        element.Clear();
        nextY.CopyTo(element[(element.Length - nextY.Length)..]);
        return Group1536.IsInRange(element) && !element.SequenceEqual(ring.Theirs) && !element.SequenceEqual(ring.TheirsPrevious);
    }
}
