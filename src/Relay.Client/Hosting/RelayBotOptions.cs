namespace Relay.Client;

/// <summary>Settings of a hosted bot.</summary>
public sealed class RelayBotOptions
{
    /// <summary>
    /// The servers, separated by commas: <c>https://host:port</c>, or <c>http://</c> on loopback. Null: as
    /// <see cref="RelayClient.FromEnvironment(RelayClientOptions?)"/>.
    /// </summary>
    public string? Servers { get; set; }

    /// <summary>A file with an API key of scope bot. Null: the key that the environment names (<see cref="RelayKey.FromEnvironment"/>).</summary>
    public string? KeyFile { get; set; }

    /// <summary>
    /// The name of the subscription that the bot reads; it is created if the endpoint has none of that name. Processes that name the same
    /// one share its events; bots that name different ones get every event each.
    /// </summary>
    public string Subscription { get; set; } = "bot";

    /// <summary>
    /// The time that handling an event may take, after which it is delivered again; 1 second to 1 hour. It counts when the bot creates the
    /// subscription; otherwise that of the subscription does.
    /// </summary>
    public TimeSpan AckWait { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The number of deliveries after which an event becomes a dead letter. It counts as <see cref="AckWait"/> does.</summary>
    public int MaxDeliveries { get; set; } = 5;

    /// <summary>The number of events that are handled side by side, each of another peer.</summary>
    public int MaxConcurrency { get; set; } = 16;

    /// <summary>Retries, timeouts and trust of the connection.</summary>
    public RelayClientOptions Client { get; set; } = new();
}
