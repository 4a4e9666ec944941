namespace Otr.Core;

/// <summary>A source of cryptographically strong random bytes; tests pass a seeded one.</summary>
public interface IRandomSource
{
    /// <summary>Fills <paramref name="destination"/> with independent, uniform bytes.</summary>
    void Fill(Span<byte> destination);
}

/// <summary>What costs enough computing to be asked for before it is done: a closed set.</summary>
public enum ComputeCost
{
    /// <summary>A key-exchange message of a peer that no exchange has completed with: one or two exponentiations, a signature made or verified.</summary>
    StrangersKeyExchange,
    /// <summary>The same, of a peer whose key is known.</summary>
    KeyExchange,
    /// <summary>An SMP run that the peer begins, all its messages: some forty exponentiations in all.</summary>
    SmpRun,
}

/// <summary>
/// Says whether a computation that a peer asks for may be done now, beyond what the conversation allows its one peer by
/// itself (<see cref="OtrLimits.AkeBurst"/>, <see cref="OtrLimits.SmpBurst"/>): a server's word for all its peers.
/// Key rotations are not asked for: one needs a message whose MAC verified under the session, and costs at most one new key
/// pair and one agreement for each such message. Refusing it would lose an authentic message, so fairness between endpoints
/// is the caller's to keep.
/// </summary>
public interface IComputeBudget
{
    /// <summary>
    /// Takes the cost, or says no. Asked before anything has changed: after a no the step ends with
    /// <see cref="RejectReason.Overloaded"/>, and the same input may be given again.
    /// </summary>
    bool TrySpend(ComputeCost cost);
}

/// <summary>Answers the peer's SMP requests in the user's place.</summary>
public interface ISmpAnswers
{
    /// <summary>
    /// Takes the secret to answer a request with, at most <see cref="OtrLimits.MaxSmpSecretBytes"/>; null: the request is declined. Called
    /// once for each request, after the caller's <see cref="IComputeBudget"/> has paid for it.
    /// </summary>
    ReadOnlyMemory<byte>? Take();
}

/// <summary>What a step may use from outside: the time and randomness, both passed in.</summary>
/// <param name="NowMilliseconds">Unix time in milliseconds. It may jump; it never extends a secret's life.</param>
/// <param name="Random">The source of every random byte of the step.</param>
public readonly record struct OtrEnvironment(long NowMilliseconds, IRandomSource Random)
{
    /// <summary>Asked before what a peer makes us compute; null: no limit but the conversation's own.</summary>
    public IComputeBudget? Budget { get; init; }

    /// <summary>Answers the peer's SMP requests; null: the user is asked.</summary>
    public ISmpAnswers? SmpAnswers { get; init; }
}
