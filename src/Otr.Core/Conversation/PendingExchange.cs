using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Otr.Core;

/// <summary>
/// A key exchange in progress, whatever the version: its secrets are wiped when it ends, completes or has lasted too long.
/// </summary>
internal abstract class PendingExchange : IDisposable
{
    private List<ExchangeAnswer>? _answers;

    /// <summary>Unix ms of the last progress; the secrets are wiped <see cref="OtrLimits.AkeLifetime"/> later.</summary>
    public long Touched { get; set; }

    /// <summary>The version that it is in; 0 before the first.</summary>
    public abstract byte Version { get; }

    /// <summary>A message of ours waits for an answer.</summary>
    public abstract bool IsUnderWay { get; }

    /// <summary>
    /// Who has answered a first message that went to all instances; at most <see cref="OtrLimits.MaxCommitAnswers"/>.
    /// </summary>
    public List<ExchangeAnswer> Answers => _answers ??= [];

    /// <summary>An instance has answered: a new query gets a new first message.</summary>
    public bool IsAnswered => _answers is { Count: > 0 };

    /// <summary>This instance has answered: for it the first message is spent.</summary>
    public bool IsAnsweredBy(uint peerTag) => _answers?.Exists(a => a.PeerTag == peerTag) == true;

    /// <summary>This answer, or another by the same instance, has been taken.</summary>
    public bool IsSpentFor(ExchangeAnswer answer) =>
        _answers?.Exists(a => a.PeerTag == answer.PeerTag || a.KeyHash == answer.KeyHash) == true;

    /// <summary>Back to the beginning, everything wiped.</summary>
    public virtual void Reset() => _answers = null;

    public void Dispose() => Reset();
}

/// <summary>
/// An answer to a first message that stays open for other instances. One key of ours and one of the answer's give one set of data keys,
/// so a recorded answer must never be taken again, not even under another tag: no exchange authenticates the tags of who answers.
/// </summary>
/// <param name="KeyHash">First 8 bytes of SHA-256 of the answer's key.</param>
internal readonly record struct ExchangeAnswer(uint PeerTag, ulong KeyHash)
{
    /// <param name="key">g^y of a D-H Key, 192 bytes; X of an Auth-R, 57 bytes.</param>
    public static ExchangeAnswer Of(uint peerTag, ReadOnlySpan<byte> key)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(key, hash);
        return new(peerTag, BinaryPrimitives.ReadUInt64BigEndian(hash));
    }
}
