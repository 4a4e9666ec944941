using System.Buffers.Binary;
using System.Numerics;
using Otr.Core;

namespace Relay.Simulation.Tests.Engine;

/// <summary>xoshiro256** seeded by splitmix64: the same seed, the same numbers, on every platform and version.</summary>
internal sealed class SimRandom : IRandomSource
{
    private ulong _a, _b, _c, _d;

    public SimRandom(ulong seed)
    {
        ulong Mix()
        {
            ulong z = seed += 0x9E3779B97F4A7C15;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return z ^ (z >> 31);
        }

        (_a, _b, _c, _d) = (Mix(), Mix(), Mix(), Mix());
    }

    /// <summary>Another sequence, set by this one and a label.</summary>
    public SimRandom Fork(ulong label) => new(NextUInt64() ^ (label * 0x9E3779B97F4A7C15));

    public ulong NextUInt64()
    {
        ulong result = BitOperations.RotateLeft(_b * 5, 7) * 9, t = _b << 17;
        _c ^= _a;
        _d ^= _b;
        _b ^= _c;
        _a ^= _d;
        _c ^= t;
        _d = BitOperations.RotateLeft(_d, 45);
        return result;
    }

    /// <summary>From 0 up to, not including, <paramref name="bound"/>.</summary>
    public int Next(int bound) => (int)(NextUInt64() % (ulong)bound);

    /// <summary>True that many times in a thousand.</summary>
    public bool Chance(int perThousand) => Next(1000) < perThousand;

    public void Fill(Span<byte> destination)
    {
        Span<byte> word = stackalloc byte[8];
        while (!destination.IsEmpty)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(word, NextUInt64());
            int n = Math.Min(8, destination.Length);
            word[..n].CopyTo(destination);
            destination = destination[n..];
        }
    }
}
