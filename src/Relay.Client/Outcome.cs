namespace Relay.Client;

/// <summary>
/// The server's answer to a bot's request: carried out, or refused because of the conversation's state or of the text. Refusals are
/// values because peers cause them, for example by ending a session a moment before the bot replies: a bot that failed on one would
/// get the same event again at its next start, and fail again.
/// </summary>
/// <typeparam name="T">The response of a request that was carried out.</typeparam>
public sealed class Outcome<T> where T : class
{
    private readonly T? _response;

    internal Outcome(T response) => _response = response;

    internal Outcome(RelayException refusal) => Refusal = refusal;

    internal static async Task<Outcome<T>> OfAsync(Func<Task<T>> calls)
    {
        try
        {
            return new Outcome<T>(await calls());
        }
        catch (RelayException e) when (e.IsRefusal)
        {
            return new Outcome<T>(e);
        }
    }

    /// <summary>True if the request was carried out.</summary>
    public bool IsAccepted => Refusal is null;

    /// <summary>Why nothing was done; null if the request was carried out. Retrying with the same request id gets the same answer.</summary>
    public RelayException? Refusal { get; }

    /// <summary>The response of a request that must have been carried out.</summary>
    /// <exception cref="RelayException">It was refused.</exception>
    public T Response => _response ?? throw Refusal!;
}
