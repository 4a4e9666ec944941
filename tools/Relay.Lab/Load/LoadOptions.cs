namespace Relay.Lab.Load;

/// <summary>Options of a load.</summary>
/// <param name="Conversations">The number of conversations, each with its own contact.</param>
/// <param name="Think">The average pause of a contact between an answer and its next question.</param>
internal sealed record LoadOptions(int Conversations, TimeSpan Think)
{
    /// <summary>The number of endpoints over which the conversations are distributed.</summary>
    public int Endpoints { get; init; } = 1;

    /// <summary>The prefix of the endpoints' ids; a number follows.</summary>
    public string EndpointPrefix { get; init; } = "load";

    /// <summary>
    /// The resource name of an endpoint to be used in place of new ones, and to be left there; null: <see cref="Endpoints"/> are created,
    /// and purged at the end.
    /// </summary>
    public string? ExistingEndpoint { get; init; }

    /// <summary>The suffix of the contacts' names, which keeps them apart from those of earlier loads on an existing endpoint.</summary>
    public string ContactSuffix { get; init; } = "";

    /// <summary>The time after which the keys of the load expire, should they not be removed at its end.</summary>
    public TimeSpan KeyLifetime { get; init; } = TimeSpan.FromDays(1);

    /// <summary>The maximum length of a wire text, in bytes; longer ones are fragmented. 0: no limit.</summary>
    public int MaxWireBytes { get; init; } = 1400;

    /// <summary>The number of contacts that are processes of <see cref="LibotrProgram"/>; the others use Otr.Core.</summary>
    public int LibotrContacts { get; init; }

    public string? LibotrProgram { get; init; }

    /// <summary>The seed of pauses and of the texts' lengths.</summary>
    public int Seed { get; init; } = 1;
}
