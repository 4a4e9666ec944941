using Otr.Core;

namespace Relay.Actors;

/// <summary>One run of the socialist millionaires' protocol (SMP): do both sides know the same secret?</summary>
/// <param name="Number">Counts the runs of a conversation from 1.</param>
/// <param name="Question">The peer's or ours, while the run is open; empty if none was asked. The peer's is untrusted text.</param>
/// <param name="Peer">The key that is verified.</param>
/// <param name="IsOneWay">
/// Success that proves our knowledge to the peer only: it asked a question and we answered. Its key is not trusted for that.
/// </param>
/// <param name="Expires">When an open run is given up.</param>
public sealed record VerificationView(
    ulong Number, VerificationState State, VerificationEnd End, bool IsBegunByPeer, string Question, Fingerprint Peer, bool IsOneWay,
    DateTimeOffset Begun, DateTimeOffset Updated, DateTimeOffset Expires)
{
    /// <summary>The peer began it, and it was answered, or declined, by the rules for stored secrets, without asking the bot.</summary>
    public bool IsAutomatic { get; init; }

    public bool IsOpen => State is VerificationState.WaitingForPeer or VerificationState.WaitingForAnswer or VerificationState.Running;

    /// <summary>Prints number and state: questions stay out of logs.</summary>
    public override string ToString() => $"VerificationView {{ {Number}, {State} }}";
}

/// <summary>The states of a verification. The names are stored.</summary>
public enum VerificationState
{
    /// <summary>We began; the peer has not answered.</summary>
    WaitingForPeer,
    /// <summary>The peer began; our answer is awaited.</summary>
    WaitingForAnswer,
    /// <summary>Both have entered their secrets; the programs compare them.</summary>
    Running,
    /// <summary>The secrets are equal.</summary>
    Succeeded,
    /// <summary>The secrets differ, or the peer's proofs were invalid.</summary>
    Failed,
    /// <summary>It ended without a result.</summary>
    Cancelled,
    /// <summary>It was not answered in time.</summary>
    Expired,
}

/// <summary>Why a verification ended. The names are stored.</summary>
public enum VerificationEnd
{
    /// <summary>It is open, or has succeeded, or expired.</summary>
    None,
    /// <summary>The secrets differ.</summary>
    SecretsDiffer,
    /// <summary>A proof of the peer did not verify: it does not follow the protocol.</summary>
    InvalidProof,
    /// <summary>The peer sent a message that the protocol does not allow there.</summary>
    ProtocolError,
    /// <summary>The peer declined or aborted.</summary>
    DeclinedByPeer,
    /// <summary>We declined or aborted.</summary>
    DeclinedByUs,
    /// <summary>Another run of the same session took its place.</summary>
    Replaced,
    /// <summary>The private session ended, or was replaced by another.</summary>
    SessionEnded,
    /// <summary>It was not answered automatically any more: the peer has had its guesses for a day.</summary>
    TooManyAttempts,
}
