using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Otr.Core.Tests.Smp;

/// <summary>SHA-256 in counter mode over a seed: the same bytes in every run.</summary>
internal sealed class SeededRandom(int seed) : IRandomSource
{
    private ulong _block;

    public void Fill(Span<byte> destination)
    {
        Span<byte> input = stackalloc byte[12], output = stackalloc byte[32];
        BinaryPrimitives.WriteInt32BigEndian(input, seed);
        for (; !destination.IsEmpty; destination = destination[Math.Min(32, destination.Length)..])
        {
            BinaryPrimitives.WriteUInt64BigEndian(input[4..], _block++);
            SHA256.HashData(input, output);
            output[..Math.Min(32, destination.Length)].CopyTo(destination);
        }
    }
}
