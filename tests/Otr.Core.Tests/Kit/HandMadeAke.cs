using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;

namespace Otr.Core.Tests.Kit;

/// <summary>
/// One side of a key exchange made by hand, either role, message by message: what an attacker who knows the protocol can
/// send. Every value can be bent before it is signed, encrypted and MAC'd.
/// </summary>
internal sealed class HandMadeAke
{
    private readonly DsaPrivateKey _key;
    private readonly byte _version;

    public HandMadeAke(DsaPrivateKey key, uint tag, int seed = 1, byte version = 3)
    {
        (_key, Tag, _version) = (key, tag, version);
        Secret = Big.Number(SHA512.HashData(BitConverter.GetBytes(seed))[..40]);
        R = SHA256.HashData(BitConverter.GetBytes(seed))[..16];
        Public = Big.Pow(2, Secret);
    }

    public uint Tag { get; set; }
    /// <summary>x or y.</summary>
    public BigInteger Secret { get; }
    /// <summary>g^x or g^y, as announced.</summary>
    public BigInteger Public { get; set; }
    /// <summary>The Commit's key.</summary>
    public byte[] R { get; set; }

    public byte[] Commit(uint to, byte[]? gx = null, byte[]? hash = null)
    {
        var mpi = gx ?? new Fields().Mpi(Public).ToArray();
        return WireText.Encode(Header(0x02, to).Data(Primitives.Ctr(R, 0, mpi)).Data(hash ?? SHA256.HashData(mpi)).ToArray());
    }

    public byte[] Key(uint to, BigInteger? gy = null) => WireText.Encode(Header(0x0a, to).Mpi(gy ?? Public).ToArray());

    /// <param name="peer">g^y.</param>
    public byte[] Reveal(uint to, BigInteger peer, XFaults? faults = null) =>
        WireText.Encode(Header(0x11, to).Data(R).Raw(Signed(peer, 1, faults ?? new())).ToArray());

    /// <param name="peer">g^x.</param>
    public byte[] Signature(uint to, BigInteger peer, XFaults? faults = null) =>
        WireText.Encode(Header(0x12, to).Raw(Signed(peer, 2, faults ?? new())).ToArray());

    /// <summary>g^y out of a D-H Key message.</summary>
    public BigInteger ReadKey(ReadOnlyMemory<byte> wire)
    {
        var message = WireText.Decode(wire);
        Assert.Equal(0x0a, message[2]);
        return Big.Number(message.AsSpan(HeaderLength + 4));
    }

    /// <summary>g^x out of a Reveal Signature message and the Commit before it.</summary>
    public BigInteger ReadReveal(ReadOnlyMemory<byte> commit, ReadOnlyMemory<byte> reveal)
    {
        byte[] c = WireText.Decode(commit), r = WireText.Decode(reveal);
        Assert.Equal(0x11, r[2]);
        var length = (int)BinaryPrimitives.ReadUInt32BigEndian(c.AsSpan(HeaderLength));
        return Big.Number(Primitives.Ctr(r[(HeaderLength + 4)..(HeaderLength + 20)], 0, c[(HeaderLength + 4)..(HeaderLength + 4 + length)]).AsSpan(4));
    }

    /// <summary>The AES keys that this side sends and receives with under key ids 1 and 1.</summary>
    public (byte[] Send, byte[] Receive) DataKeys(BigInteger peer)
    {
        var s = Big.Pow(peer, Secret);
        byte[] one = Primitives.H1(1, s)[..16], two = Primitives.H1(2, s)[..16];
        return Public > peer ? (one, two) : (two, one);
    }

    private int HeaderLength => _version == 3 ? 11 : 3;

    private Fields Header(int type, uint to) => Fields.Header(_version, type, Tag, to);

    // half 1: Bob's c, m1, m2; half 2: Alice's c', m1', m2'.
    private byte[] Signed(BigInteger peer, int half, XFaults faults)
    {
        var s = Big.Pow(peer, Secret);
        var c = half == 1 ? Primitives.H2(1, s)[..16] : Primitives.H2(1, s)[16..];
        byte[] m1 = Primitives.H2((byte)(2 * half), s), m2 = Primitives.H2((byte)(2 * half + 1), s);
        var pubkey = faults.PublicKey ?? Primitives.PublicKey(_key.PublicKey);
        var keyed = new Fields().Raw(pubkey).Int(faults.KeyId).ToArray();
        var signer = faults.SignedSwapped ? peer : Public;
        var other = faults.SignedSwapped ? Public : peer;
        var m = HMACSHA256.HashData(m1, new Fields().Mpi(signer).Mpi(other).Raw(faults.SignedKeyed ?? keyed).ToArray());
        var signature = faults.Signature?.Invoke(Primitives.Sign(_key, m)) ?? Primitives.Sign(_key, m);
        var x = new Fields().Raw(keyed).Raw(signature).Raw(faults.Trailing).ToArray();
        var encrypted = new Fields().Data(Primitives.Ctr(c, 0, x)).ToArray();
        return [.. encrypted, .. faults.Mac?.Invoke(HMACSHA256.HashData(m2, encrypted)[..20]) ?? HMACSHA256.HashData(m2, encrypted)[..20]];
    }
}

/// <summary>What is wrong with an X; by default nothing.</summary>
internal sealed record XFaults
{
    public byte[]? PublicKey { get; init; }
    public uint KeyId { get; init; } = 1;
    public Func<byte[], byte[]>? Signature { get; init; }
    public byte[] Trailing { get; init; } = [];
    public Func<byte[], byte[]>? Mac { get; init; }
    /// <summary>M is computed with the other's D-H key first.</summary>
    public bool SignedSwapped { get; init; }
    /// <summary>PUBKEY ‖ keyid that M is computed over, if not what is sent.</summary>
    public byte[]? SignedKeyed { get; init; }
}
