using Otr.Core;

namespace Relay.Actors;

/// <summary>A key of a peer as an endpoint knows it. It outlives the sessions, and a restore of the database.</summary>
/// <param name="Trust">Untrusted, or how it was verified.</param>
/// <param name="Note">Written by whoever set the trust; empty if nothing was.</param>
/// <param name="FirstSeen">The first key exchange that showed it; null if it was only told of.</param>
/// <param name="LastSeen">The latest key exchange that showed it.</param>
/// <param name="Verified">When it came to be trusted; null while it is not.</param>
public sealed record IdentityView(
    Fingerprint Fingerprint, TrustLevel Trust, string Note, DateTimeOffset? FirstSeen, DateTimeOffset? LastSeen, DateTimeOffset? Verified)
{
    /// <summary>Whether it is taken for the peer's key; one that is not accepted is not trusted.</summary>
    public KeyStanding Standing { get; init; }

    /// <summary>Prints the type only: fingerprints and notes stay out of logs.</summary>
    public override string ToString() => nameof(IdentityView);
}
