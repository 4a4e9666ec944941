using System.Buffers.Binary;
using System.Security.Cryptography;
using Otr.Core;

namespace Otr.Core.Tests.Conversations;

/// <summary>Deterministic bytes: SHA-256 of seed and counter.</summary>
internal sealed class SeededRandom(int seed) : IRandomSource
{
    private long _counter;

    public void Fill(Span<byte> destination)
    {
        Span<byte> block = stackalloc byte[32], input = stackalloc byte[12];
        while (!destination.IsEmpty)
        {
            BinaryPrimitives.WriteInt32BigEndian(input, seed);
            BinaryPrimitives.WriteInt64BigEndian(input[4..], _counter++);
            SHA256.HashData(input, block);
            var n = Math.Min(32, destination.Length);
            block[..n].CopyTo(destination);
            destination = destination[n..];
        }
    }
}
