namespace Relay.Lab.Load;

/// <summary>How much is said, and by whom.</summary>
/// <param name="Conversations">In all; each has a contact of its own.</param>
/// <param name="Think">How long a contact thinks on average before it asks again.</param>
internal sealed record LoadOptions(int Conversations, TimeSpan Think)
{
    /// <summary>Endpoints that the conversations are spread over.</summary>
    public int Endpoints { get; init; } = 1;

    /// <summary>Their ids begin so; a number follows.</summary>
    public string EndpointPrefix { get; init; } = "load";

    /// <summary>The longest message of the network, in bytes; longer ones leave in fragments. 0: no limit.</summary>
    public int MaxWireBytes { get; init; } = 1400;

    /// <summary>So many of the contacts are libotr, by this program, in processes of their own.</summary>
    public int LibotrContacts { get; init; }

    public string? LibotrProgram { get; init; }

    /// <summary>Decides who says what when.</summary>
    public int Seed { get; init; } = 1;
}
