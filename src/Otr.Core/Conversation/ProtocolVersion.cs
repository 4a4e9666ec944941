using Otr.Core.V3;
using Otr.Core.V4;
using Otr.Core.Wire;

namespace Otr.Core;

/// <summary>
/// What a conversation asks of a version of the protocol before there is a session: its messages, the beginning of a key exchange, and
/// sessions read back from snapshots. <see cref="Of"/> is the one place where versions are told apart; what is sent in a session goes
/// through its <see cref="SessionProtocol"/>.
/// </summary>
internal abstract class ProtocolVersion
{
    /// <summary>The implementation of a version; null if there is none.</summary>
    public static ProtocolVersion? Of(int version) => version switch
    {
        2 or 3 => V3Protocol.Instance,
        V4Protocol.Number => V4Protocol.Instance,
        _ => null,
    };

    /// <summary>The longest message around a ciphertext, revealed keys included, in bytes.</summary>
    public abstract int MaxOverhead { get; }

    /// <summary>Fragments name the message that they are of, and are the longer for it.</summary>
    public abstract bool HasIdentifiedFragments { get; }

    /// <summary>Takes a message whose version is allowed and whose header was read: checks its tags, then what it says.</summary>
    /// <param name="message">From its version on.</param>
    /// <param name="body">Behind the header.</param>
    public abstract void Receive(in StepContext step, in MessageHeader header, ReadOnlySpan<byte> message, ref OtrReader body);

    /// <summary>Begins a key exchange that the peer has asked for, or repeats the message of one that has just begun.</summary>
    /// <param name="isOffer">It came with a text that must not wait: what cannot be afforded now is not answered at all.</param>
    public abstract void Start(in StepContext step, byte version, bool isOffer);

    /// <summary>Reads the keys of a session back; null if anything does not fit.</summary>
    /// <param name="format">Version of the snapshot's format.</param>
    public abstract SessionProtocol? ReadSession(ref OtrReader reader, byte version, byte format, OtrSettings settings);
}
