using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;

namespace Otr.Core.Tests.Kit;

/// <summary>The fields of a data message, to be bent.</summary>
internal sealed record DataFields
{
    public int Version { get; init; } = 3;
    public uint SenderTag { get; init; }
    public uint ReceiverTag { get; init; }
    public byte Flags { get; init; }
    public uint SenderKeyId { get; init; }
    public uint RecipientKeyId { get; init; }
    /// <summary>The next key's MPI, length and all.</summary>
    public byte[] NextY { get; init; } = [];
    public ulong Counter { get; init; }
    public byte[] Plaintext { get; init; } = [];
    public byte[] Revealed { get; init; } = [];
    /// <summary>Applied to the right MAC.</summary>
    public Func<byte[], byte[]>? Mac { get; init; }
}

/// <summary>
/// Knows everything that one party of a private session knows, and writes data messages in its name without the core:
/// own AES-CTR, own MAC, own layout.
/// </summary>
internal sealed class Insider : IDisposable
{
    private readonly ConversationState _state;

    /// <param name="asKnownTo">The party in whose name messages are made, at this moment.</param>
    public Insider(Conversations.Party asKnownTo)
    {
        _state = ConversationSnapshot.TryRead(asKnownTo.Snapshot(), asKnownTo.Account, asKnownTo.Settings)!;
        var session = _state.Best!;
        Assert.Equal(MessageState.Encrypted, session.State);
        var keys = session.Keys!;
        Next = new DataFields
        {
            Version = session.Version, SenderTag = asKnownTo.Account.InstanceTag, ReceiverTag = session.PeerTag,
            SenderKeyId = keys.OurKeyId - 1, RecipientKeyId = keys.TheirKeyId,
            NextY = new Fields().Mpi(Big.Number(keys.NextPublic)).ToArray(), Counter = keys.Sending.SendCounter + 1,
        };
    }

    /// <summary>What an honest next message would have.</summary>
    public DataFields Next { get; }

    /// <summary>The honest next message with this text.</summary>
    public byte[] Text(string text, Func<DataFields, DataFields>? bend = null)
    {
        var fields = Next with { Plaintext = [.. text.Utf8(), 0] };
        return Write(bend is null ? fields : bend(fields));
    }

    /// <summary>The honest next message with these TLVs.</summary>
    public byte[] Tlvs(string text, params (int Type, byte[] Value)[] tlvs) =>
        Write(Next with { Plaintext = [.. text.Utf8(), 0, .. tlvs.SelectMany(t => new Fields().Short(t.Type).Short(t.Value.Length).Raw(t.Value).ToArray())] });

    /// <summary>The AES key that this party sends with under the key ids of <paramref name="fields"/>; of the newest pair if there is none.</summary>
    public byte[] SendingKey(DataFields fields)
    {
        var keys = _state.Best!.Keys!;
        return ((keys.Receiving(fields.RecipientKeyId, fields.SenderKeyId) ?? keys.Sending).Raw)[..16].ToArray();
    }

    public byte[] Write(DataFields f) => Write(f, SendingKey(f));

    /// <summary>Any data message under any key.</summary>
    public static byte[] Write(DataFields f, byte[] aes)
    {
        var message = Fields.Header(f.Version, 0x03, f.SenderTag, f.ReceiverTag).Byte(f.Flags).Int(f.SenderKeyId).Int(f.RecipientKeyId)
            .Raw(f.NextY).Ctr(f.Counter).Data(Primitives.Ctr(aes, f.Counter, f.Plaintext)).ToArray();
        var mac = HMACSHA1.HashData(SHA1.HashData(aes), message);
        return WireText.Encode([.. message, .. f.Mac?.Invoke(mac) ?? mac, .. new Fields().Data(f.Revealed).ToArray()]);
    }

    public void Dispose() => _state.Dispose();
}

/// <summary>A data message taken apart without the core's reader.</summary>
internal sealed record ReadData(int Version, uint SenderTag, uint ReceiverTag, byte Flags, uint SenderKeyId, uint RecipientKeyId,
    BigInteger NextY, ulong Counter, byte[] Ciphertext, byte[] Authenticated, byte[] Mac, byte[] Revealed)
{
    public static ReadData Of(ReadOnlyMemory<byte> wire)
    {
        var m = WireText.Decode(wire);
        Assert.Equal(0x03, m[2]);
        var at = m[1] == 3 ? 11 : 3;
        uint Int() { at += 4; return BinaryPrimitives.ReadUInt32BigEndian(m.AsSpan(at - 4)); }
        byte[] Data() { var n = (int)Int(); at += n; return m[(at - n)..at]; }
        uint sender = m[1] == 3 ? BinaryPrimitives.ReadUInt32BigEndian(m.AsSpan(3)) : 0, receiver = m[1] == 3 ? BinaryPrimitives.ReadUInt32BigEndian(m.AsSpan(7)) : 0;
        var flags = m[at++];
        uint senderKey = Int(), recipientKey = Int();
        var y = Big.Number(Data());
        var counter = BinaryPrimitives.ReadUInt64BigEndian(m.AsSpan(at));
        at += 8;
        var text = Data();
        var authenticated = m[..at];
        at += 20;
        var mac = m[(at - 20)..at];
        var revealed = Data();
        Assert.Equal(m.Length, at);
        return new ReadData(m[1], sender, receiver, flags, senderKey, recipientKey, y, counter, text, authenticated, mac, revealed);
    }
}
