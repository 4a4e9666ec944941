using System.Security.Cryptography;

namespace Otr.Core.V3.Smp;

/// <summary>Secret numbers of one message, 192 bytes each, wiped on disposal. On the stack: no copy outlives the message.</summary>
internal readonly ref struct SmpScratch
{
    public const int Size = SmpPayload.SlotSize;

    private readonly Span<byte> _bytes;

    /// <param name="memory">A multiple of <see cref="Size"/>.</param>
    public SmpScratch(Span<byte> memory) => _bytes = memory;

    /// <summary>Fresh random exponents. As libotr: 1536 random bits, not reduced mod q.</summary>
    public SmpScratch(Span<byte> memory, IRandomSource random) : this(memory) => random.Fill(memory);

    /// <summary>
    /// Makes an exponent even. a2, a3, b2 and b3 are: whatever a received element is raised to them, the result is a square,
    /// so that nothing computed from it tells more than a member of the group would (docs/smp-subgroup.md). 2 has an inverse
    /// mod q: the powers of the generator are as many as before.
    /// </summary>
    public static void MakeEven(Span<byte> exponent) => exponent[^1] &= 0xFE;

    /// <summary>The number at a place.</summary>
    public Span<byte> this[int index] => _bytes.Slice(index * Size, Size);

    /// <summary>Wipes.</summary>
    public void Dispose() => CryptographicOperations.ZeroMemory(_bytes);
}
