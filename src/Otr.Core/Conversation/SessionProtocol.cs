using Otr.Core.Smp;
using Otr.Core.Wire;

namespace Otr.Core;

/// <summary>
/// The keys of one private session in one version of the protocol, and what is done with them: there is one exactly while a
/// <see cref="Session"/> is ENCRYPTED. Everything around it — who is spoken with, what text may go where, times — is the session's and
/// the conversation's, whatever the version.
/// </summary>
internal abstract class SessionProtocol(SmpState smp) : IDisposable
{
    /// <summary>The version that the key exchange completed in.</summary>
    public abstract byte Version { get; }

    /// <summary>Our fingerprint in this version.</summary>
    public abstract Fingerprint Own(OtrAccount account);

    /// <summary>The socialist millionaires' protocol of this session.</summary>
    public SmpState Smp => smp;

    /// <summary>Which implementation this is of.</summary>
    public ProtocolVersion Protocol => ProtocolVersion.Of(Version)!;

    /// <summary>Appends the message for a plaintext to an empty <paramref name="message"/>, and moves the keys on.</summary>
    /// <param name="plaintext">Text, NUL, TLVs.</param>
    public abstract void Seal(
        in StepContext step, in MessageHeader header, byte flags, ReadOnlySpan<byte> plaintext, ref OtrWriter message);

    /// <summary>Sends the TLV that asks the peer to use an extra symmetric key, and returns that key.</summary>
    /// <param name="value">INT use, then what belongs to it.</param>
    public abstract byte[] SendExtraKey(in StepContext step, Session session, ReadOnlySpan<byte> value);

    /// <summary>The time from which <see cref="OtrSettings.SessionIdleLifetime"/> counts, Unix ms.</summary>
    public abstract long IdleSince(Session session);

    /// <summary>The session expires: the next message is the last.</summary>
    public virtual void PrepareExpiry()
    {
    }

    /// <summary>Takes over what a session that this one replaces had still to reveal, before that is disposed of.</summary>
    public abstract void TakeReveals(SessionProtocol earlier);

    /// <summary>Appends keys and SMP, secrets included; <see cref="ProtocolVersion.ReadSession"/> reads them back.</summary>
    public abstract void WriteSnapshot(ref OtrWriter writer);

    /// <summary>Wipes everything.</summary>
    public virtual void Dispose() => smp.Dispose();
}
