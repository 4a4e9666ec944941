using Relay.Client.Streams;
using Relay.V1;

namespace Relay.Client;

/// <summary>A peer wrote a text.</summary>
public sealed class TextEvent : BotEvent
{
    internal TextEvent(Bot bot, Event message, ISettler settler) : base(bot, message, settler) { }

    /// <inheritdoc cref="BotEvent.Text"/>
    public new string Text => Message.TextReceived.Text;

    /// <inheritdoc cref="BotEvent.CleanText"/>
    public new string CleanText => base.CleanText!;
}

/// <summary>A private session was established, has ended, or has another key.</summary>
public sealed class SessionEvent : BotEvent
{
    internal SessionEvent(Bot bot, Event message, ISettler settler) : base(bot, message, settler) { }

    /// <summary>The session as it is after the change.</summary>
    public Session Session => Message.SessionChanged.Session;

    /// <summary>Why it changed.</summary>
    public SessionChanged.Types.Cause Cause => Message.SessionChanged.Cause;

    /// <summary>True if texts are encrypted now.</summary>
    public bool IsEstablished => Session.State == MessageState.Encrypted;

    /// <summary>True if the key of the peer was not seen in this conversation before.</summary>
    public bool IsNewKey => Message.SessionChanged.FingerprintIsNew;

    /// <summary>
    /// True if the session replaced one with another key: treat the peer as a stranger until it is verified.
    /// </summary>
    public bool IsChangedKey => Message.SessionChanged.FingerprintChanged;

    /// <summary>Takes the session's key for the peer's: what was held goes to it. It is not verified by that.</summary>
    /// <returns>The key; a refusal is a value, see <see cref="Outcome{T}"/>.</returns>
    /// <exception cref="RelayException">The cause is the key, the request or the server, not the conversation.</exception>
    public Task<Outcome<Identity>> AcceptKeyAsync(CancellationToken cancellation = default) =>
        Bot.AcceptKeyAsync(Conversation, Session.PeerFingerprint, null, cancellation);

    /// <summary>Refuses the session's key: the session ends, and what was held for it is dropped.</summary>
    /// <returns>The key; a refusal is a value, see <see cref="Outcome{T}"/>.</returns>
    /// <exception cref="RelayException">The cause is the key, the request or the server, not the conversation.</exception>
    public Task<Outcome<Identity>> RefuseKeyAsync(CancellationToken cancellation = default) =>
        Bot.RefuseKeyAsync(Conversation, Session.PeerFingerprint, null, cancellation);
}

/// <summary>A verification waits for an answer of the bot, or has ended.</summary>
public sealed class VerificationEvent : BotEvent
{
    internal VerificationEvent(Bot bot, Event message, ISettler settler) : base(bot, message, settler) { }

    /// <inheritdoc cref="BotEvent.Verification"/>
    public new Verification Verification => Message.VerificationChanged.Verification;

    /// <summary>The state of the verification.</summary>
    public Verification.Types.State State => Verification.State;

    /// <summary>True if the peer has asked, and <see cref="BotEvent.AnswerAsync"/> may answer.</summary>
    public bool WaitsForAnswer => State == Verification.Types.State.WaitingForAnswer;

    /// <summary>The peer's question, which is untrusted text; empty if the peer asks for the secret itself.</summary>
    public string Question => Verification.Question;

    /// <summary>True if a stored secret answered it (<see cref="Relay.Client.Bot.SetAnswerSecretAsync"/>).</summary>
    public bool IsAutomatic => Verification.Automatic;

    /// <summary>Declines or aborts the verification, and tells the peer.</summary>
    /// <returns>Whether it was open; a refusal is a value, see <see cref="Outcome{T}"/>.</returns>
    /// <exception cref="RelayException">The cause is the key, the request or the server, not the conversation.</exception>
    public Task<Outcome<Verification>> CancelAsync(CancellationToken cancellation = default) =>
        Bot.CancelVerificationAsync(Verification.Name, null, cancellation);
}

/// <summary>A peer offers a file, or all of it has come.</summary>
public sealed class FileEvent : BotEvent
{
    internal FileEvent(Bot bot, Event message, ISettler settler) : base(bot, message, settler) { }

    /// <summary>The file as it is after the change. Its name and type are the peer's: untrusted.</summary>
    public FileTransfer File => Message.FileChanged.File;

    /// <summary>True if all of it has come and is what was offered: <see cref="DownloadAsync"/> gets it.</summary>
    public bool IsReceived => File.State == FileTransfer.Types.State.Received;

    /// <inheritdoc cref="Bot.DownloadFileAsync"/>
    public Task DownloadAsync(Stream destination, CancellationToken cancellation = default) =>
        Bot.DownloadFileAsync(File, destination, cancellation);
}
