namespace Relay.Client;

/// <summary>
/// Handles the events of a hosted bot (<see cref="RelayBotExtensions.AddRelayBot"/>): override what the bot cares about. Events of different
/// peers are handled side by side, those of one peer in order. An event is acknowledged when its method has returned, unless the method
/// has settled it otherwise. It is delivered again if the process ends before that, so a method may run twice for an event; replies,
/// answers and verifications that are made through the event take effect once even then.
/// </summary>
public abstract class BotHandler
{
    /// <summary>The time after which an event that could not be handled is delivered again.</summary>
    public static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(10);

    /// <summary>A peer wrote a text.</summary>
    /// <param name="cancellation">Cancelled when the event is about to be delivered again, because handling it took too long.</param>
    protected virtual Task OnTextAsync(TextEvent e, CancellationToken cancellation) => Task.CompletedTask;

    /// <summary>A private session was established, has ended, or has another key.</summary>
    /// <param name="cancellation">As for <see cref="OnTextAsync"/>.</param>
    protected virtual Task OnSessionAsync(SessionEvent e, CancellationToken cancellation) => Task.CompletedTask;

    /// <summary>A verification waits for an answer, or has ended.</summary>
    /// <param name="cancellation">As for <see cref="OnTextAsync"/>.</param>
    protected virtual Task OnVerificationAsync(VerificationEvent e, CancellationToken cancellation) => Task.CompletedTask;

    /// <summary>Any other event: a held message was dropped, a text could not be read, the trust in a key has changed, …</summary>
    /// <param name="cancellation">As for <see cref="OnTextAsync"/>.</param>
    protected virtual Task OnEventAsync(BotEvent e, CancellationToken cancellation) => Task.CompletedTask;

    /// <summary>
    /// One of the other methods failed, or took too long. By default the event is given back, to be delivered again after
    /// <see cref="RetryDelay"/>; at the subscription's last delivery, the fifth unless it says otherwise, it becomes a dead letter, and the
    /// rest goes on.
    /// </summary>
    /// <param name="cancellation">Cancelled when the bot has stopped waiting for its handlers.</param>
    protected virtual Task OnErrorAsync(BotEvent e, Exception error, CancellationToken cancellation) =>
        e.NackAsync(RetryDelay, error.GetType().Name, cancellation);

    internal Task HandleAsync(BotEvent e, CancellationToken cancellation) => e switch
    {
        TextEvent text => OnTextAsync(text, cancellation),
        SessionEvent session => OnSessionAsync(session, cancellation),
        VerificationEvent verification => OnVerificationAsync(verification, cancellation),
        _ => OnEventAsync(e, cancellation),
    };

    internal Task HandleErrorAsync(BotEvent e, Exception error, CancellationToken cancellation) => OnErrorAsync(e, error, cancellation);
}
