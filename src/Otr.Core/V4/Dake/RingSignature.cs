using System.Buffers.Binary;
using Otr.Core.Crypto.Ed448;
using Shake256 = Otr.Core.Crypto.Ed448.Shake256;

namespace Otr.Core.V4.Dake;

/// <summary>
/// RSig and RVrf of the specification ("Ring Signature Authentication"): whoever verifies knows that the owner of one of three keys signed,
/// not which. sigma = c1 ‖ r1 ‖ c2 ‖ r2 ‖ c3 ‖ r3.
/// </summary>
internal static class RingSignature
{
    /// <summary>Keys of a ring.</summary>
    public const int Ring = 3;

    /// <summary>Bytes of sigma: six SCALARs.</summary>
    public const int Size = 2 * Ring * Ed448Scalar.Size;

    /// <summary>
    /// Signs; false if two keys are equal, which only a peer can bring about, and which would tell who signed. Draws 7 × 57 bytes whichever
    /// key is known: t, c1, r1, c2, r2, c3, r3.
    /// </summary>
    /// <param name="ring">Three keys; the one at <paramref name="position"/> (0 to 2) is <paramref name="secret"/>·G.</param>
    public static bool TrySign(
        IRandomSource random, Ed448Scalar secret, int position, ReadOnlySpan<Ed448Point> ring, ReadOnlySpan<byte> message, Span<byte> sigma)
    {
        if (ring.Length != Ring) throw new ArgumentException("A ring has three keys.", nameof(ring));
        if (sigma.Length != Size) throw new ArgumentException("A ring signature has 342 bytes.", nameof(sigma));
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)position, (uint)Ring - 1, nameof(position));
        if (ring[0].FixedTimeEquals(ring[1]) || ring[0].FixedTimeEquals(ring[2]) || ring[1].FixedTimeEquals(ring[2])) return false;

        using var t = Ed448Scalar.Draw(random);
        var challenges = new Ed448Scalar[Ring];
        var responses = new Ed448Scalar[Ring];
        var commitments = new Ed448Point[Ring];
        for (int i = 0; i < Ring; i++) (challenges[i], responses[i]) = (Ed448Scalar.Draw(random), Ed448Scalar.Draw(random));
        // What goes into the variable-time products is part of sigma; t alone is secret.
        for (int i = 0; i < Ring; i++)
            commitments[i] = i == position ? Ed448Point.MultiplyBase(t) : ring[i].MultiplyBaseAddVar(responses[i], challenges[i]);

        var own = Challenge(ring, commitments, message);
        for (int i = 0; i < Ring; i++)
        {
            if (i != position) own = Replace(own, Ed448Scalar.Subtract(own, challenges[i]));
        }
        challenges[position] = Replace(challenges[position], own);
        responses[position] = Replace(responses[position], Ed448Scalar.SubtractProduct(t, own, secret));
        for (int i = 0; i < Ring; i++)
        {
            challenges[i].Encode(sigma[(2 * i * Ed448Scalar.Size)..]);
            responses[i].Encode(sigma[((2 * i + 1) * Ed448Scalar.Size)..]);
            challenges[i].Dispose();
            responses[i].Dispose();
        }
        return true;
    }

    /// <summary>
    /// Verifies. The scalars need not be reduced; that no key has a small order, without which the equation says nothing, is in their type.
    /// </summary>
    public static bool Verify(ReadOnlySpan<Ed448Point> ring, ReadOnlySpan<byte> message, ReadOnlySpan<byte> sigma)
    {
        if (ring.Length != Ring) throw new ArgumentException("A ring has three keys.", nameof(ring));
        if (sigma.Length != Size) return false;
        foreach (var key in ring)
        {
            if (key.IsIdentity) return false;
        }
        var commitments = new Ed448Point[Ring];
        var sum = Ed448Scalar.Reduce([]);
        for (int i = 0; i < Ring; i++)
        {
            using var c = Ed448Scalar.Reduce(sigma.Slice(2 * i * Ed448Scalar.Size, Ed448Scalar.Size));
            using var r = Ed448Scalar.Reduce(sigma.Slice((2 * i + 1) * Ed448Scalar.Size, Ed448Scalar.Size));
            commitments[i] = ring[i].MultiplyBaseAddVar(r, c);
            sum = Replace(sum, Ed448Scalar.Add(sum, c));
        }
        using var challenge = Challenge(ring, commitments, message);
        var isEqual = sum.FixedTimeEquals(challenge);
        sum.Dispose();
        return isEqual;
    }

    private static Ed448Scalar Replace(Ed448Scalar old, Ed448Scalar value)
    {
        old.Dispose();
        return value;
    }

    /// <summary>
    /// c = HashToScalar(1A ‖ G ‖ q ‖ A1 ‖ A2 ‖ A3 ‖ T1 ‖ T2 ‖ T3 ‖ DATA(m)). The text has m without its length; otr4j and otrr have it
    /// (C6.1).
    /// </summary>
    private static Ed448Scalar Challenge(ReadOnlySpan<Ed448Point> ring, ReadOnlySpan<Ed448Point> commitments, ReadOnlySpan<byte> message)
    {
        var shake = Kdf.Begin(KdfUsage.Auth);
        shake.Absorb(Ed448Point.Base.Encoding);
        shake.Absorb(Ed448Scalar.Order);
        foreach (var key in ring) shake.Absorb(key.Encoding);
        foreach (var commitment in commitments) shake.Absorb(commitment.Encoding);
        Span<byte> length = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(length, message.Length);
        shake.Absorb(length);
        shake.Absorb(message);
        var challenge = Kdf.ToScalar(ref shake);
        shake.Dispose();
        return challenge;
    }
}
