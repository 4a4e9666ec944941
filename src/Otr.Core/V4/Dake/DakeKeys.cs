using System.Diagnostics.CodeAnalysis;
using Otr.Core.Crypto;
using Otr.Core.Crypto.Ed448;
using Otr.Core.Wire;

namespace Otr.Core.V4.Dake;

/// <summary>
/// The keys that one side brings to a DAKE: an ECDH and a D-H pair for its shared secret (y and b, or x and a), and the first pairs of the
/// double ratchet. Wiped on disposal.
/// </summary>
internal sealed class DakeKeys(Ed448KeyPair ecdh, Dh3072KeyPair dh, Ed448KeyPair firstEcdh, Dh3072KeyPair firstDh) : IDisposable
{
    public Ed448KeyPair Ecdh => ecdh;
    public Dh3072KeyPair Dh => dh;
    public Ed448KeyPair FirstEcdh => firstEcdh;
    public Dh3072KeyPair FirstDh => firstDh;

    /// <summary>The public halves.</summary>
    public DakePublicKeys Public { get; } = new(ecdh.Public, dh.Public, firstEcdh.Public, firstDh.Public);

    /// <summary>Fresh keys; draws 57, 80, 57 and 80 bytes.</summary>
    public static DakeKeys Generate(IRandomSource random)
    {
        var ecdh = Ed448KeyPair.Generate(random);
        var dh = Dh3072KeyPair.Generate(random);
        var firstEcdh = Ed448KeyPair.Generate(random);
        return new DakeKeys(ecdh, dh, firstEcdh, Dh3072KeyPair.Generate(random));
    }

    /// <summary>Wipes the secrets of the exchange: K is computed, and the first pairs have gone to the ratchet or wait for it.</summary>
    public void WipeExchange()
    {
        ecdh.Dispose();
        dh.Dispose();
    }

    public void Dispose()
    {
        WipeExchange();
        firstEcdh.Dispose();
        firstDh.Dispose();
    }
}

/// <summary>What of the other side's <see cref="DakeKeys"/> a message shows. An instance is the proof that all four are valid.</summary>
/// <param name="Dh">384 bytes, as <paramref name="FirstDh"/>.</param>
internal sealed record DakePublicKeys(Ed448Point Ecdh, byte[] Dh, Ed448Point FirstEcdh, byte[] FirstDh)
{
    /// <summary>
    /// Checks the keys of a message: points (checklist C1.3), D-H values (C1.9), and that no key is used for two purposes (C7.4).
    /// </summary>
    public static bool TryCreate(in DakeKeyFields fields, [NotNullWhen(true)] out DakePublicKeys? keys)
    {
        keys = null;
        if (fields.Ecdh.SequenceEqual(fields.FirstEcdh) || fields.Dh.SequenceEqual(fields.FirstDh)) return false;
        if (!TryElement(fields.Dh, out var dh) || !TryElement(fields.FirstDh, out var firstDh)) return false;
        if (!Ed448Point.TryDecode(fields.Ecdh, out var ecdh) || !Ed448Point.TryDecode(fields.FirstEcdh, out var firstEcdh)) return false;
        keys = new DakePublicKeys(ecdh, dh, firstEcdh, firstDh);
        return true;
    }

    private static bool TryElement(ReadOnlySpan<byte> number, out byte[] element)
    {
        element = [];
        if (number.Length > Group3072.ElementSize) return false;
        element = new byte[Group3072.ElementSize];
        number.CopyTo(element.AsSpan(element.Length - number.Length));
        return Group3072.IsElement(element);
    }
}

/// <summary>The keys in a message, read but not checked.</summary>
internal readonly ref struct DakeKeyFields
{
    public ReadOnlySpan<byte> Ecdh { get; init; }
    /// <summary>Without leading zeros, as <see cref="FirstDh"/>.</summary>
    public ReadOnlySpan<byte> Dh { get; init; }
    public ReadOnlySpan<byte> FirstEcdh { get; init; }
    public ReadOnlySpan<byte> FirstDh { get; init; }
}
