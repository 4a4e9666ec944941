using System.Collections;
using Otr.Core;

namespace Relay.Actors;

/// <summary>A key that an endpoint had before its present one.</summary>
/// <param name="Retired">When it was replaced.</param>
public readonly record struct FormerIdentity(Fingerprint Fingerprint, DateTimeOffset Retired);

/// <summary>The former keys of an endpoint, in order of time. Equal lists have equal elements.</summary>
public sealed class FormerIdentityList(params IEnumerable<FormerIdentity> identities)
    : IReadOnlyList<FormerIdentity>, IEquatable<FormerIdentityList>
{
    private readonly FormerIdentity[] _identities = [.. identities];

    public static FormerIdentityList Empty { get; } = new();

    public int Count => _identities.Length;

    public FormerIdentity this[int index] => _identities[index];

    public FormerIdentityList With(FormerIdentity identity) => new([.. _identities, identity]);

    public bool Equals(FormerIdentityList? other) => other is not null && _identities.AsSpan().SequenceEqual(other._identities);

    public override bool Equals(object? obj) => Equals(obj as FormerIdentityList);

    public override int GetHashCode() => _identities.Length;

    public IEnumerator<FormerIdentity> GetEnumerator() => ((IEnumerable<FormerIdentity>)_identities).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
