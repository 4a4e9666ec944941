namespace Otr.Core;

/// <summary>How far a fingerprint is trusted: the trust column of <c>otr.fingerprints</c>, any text of which means trusted to libotr.</summary>
/// <param name="Label">Empty for untrusted. By convention <c>smp</c> or <c>verified</c>; other clients' words are kept as they are.</param>
public readonly record struct TrustLevel(string Label)
{
    private readonly string? _label = Label;

    /// <summary>The column's text; empty for untrusted.</summary>
    public string Label { get => _label ?? ""; init => _label = value; }

    /// <summary>Seen, not verified.</summary>
    public static TrustLevel Untrusted => default;
    /// <summary>The socialist millionaires' protocol succeeded.</summary>
    public static TrustLevel Smp => new("smp");
    /// <summary>The user compared the fingerprint.</summary>
    public static TrustLevel Verified => new("verified");

    /// <summary>Anything but untrusted.</summary>
    public bool IsTrusted => Label.Length > 0;

    /// <inheritdoc/>
    public bool Equals(TrustLevel other) => Label == other.Label;
    /// <inheritdoc/>
    public override int GetHashCode() => Label.GetHashCode(StringComparison.Ordinal);
    /// <summary>The label.</summary>
    public override string ToString() => Label;
}
