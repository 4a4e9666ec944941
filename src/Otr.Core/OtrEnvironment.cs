namespace Otr.Core;

/// <summary>A source of cryptographically strong random bytes; tests pass a seeded one.</summary>
public interface IRandomSource
{
    /// <summary>Fills <paramref name="destination"/> with independent, uniform bytes.</summary>
    void Fill(Span<byte> destination);
}

/// <summary>What a step may use from outside: the time and randomness, both passed in.</summary>
/// <param name="NowMilliseconds">Unix time in milliseconds. It may jump; it never extends a secret's life.</param>
/// <param name="Random">The source of every random byte of the step.</param>
public readonly record struct OtrEnvironment(long NowMilliseconds, IRandomSource Random);
