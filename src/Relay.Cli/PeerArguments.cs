using System.CommandLine;
using Relay.Client;
using Relay.V1;

namespace Relay.Cli;

/// <summary>
/// The arguments that name a peer of an endpoint: <c>support alice@example.org</c>, or <c>support/alice@example.org</c> as one. In place of
/// a conversation's full name the latter is taken too.
/// </summary>
internal static class PeerArguments
{
    private const string Form = "'support alice@example.org' or 'support/alice@example.org'";

    public static Argument<string> Endpoint() => new("endpoint") { Description = "Id or name of the endpoint, or endpoint/peer." };

    /// <summary>The peer, unless the argument before it has it.</summary>
    public static Argument<string?> Peer() => new("peer")
    {
        Description = "Address of the peer on the endpoint's network, if the first argument does not have it.", Arity = ArgumentArity.ZeroOrOne,
    };

    /// <summary>The argument for a conversation.</summary>
    public static Argument<string> Conversation() => new("conversation")
    {
        Description = "endpoint/peer, such as support/alice@example.org, or the conversation's full name.",
    };

    /// <summary>The endpoint's resource name, and the peer's address.</summary>
    /// <exception cref="CommandFailure">There is no peer, or more than one.</exception>
    public static (string Endpoint, string Peer) Read(string endpoint, string? peer)
    {
        var text = endpoint.StartsWith("endpoints/", StringComparison.Ordinal) ? endpoint["endpoints/".Length..] : endpoint;
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        // The address may have slashes of its own, an endpoint's id has none.
        var inFirst = slash < 0 ? null : text[(slash + 1)..];
        if (inFirst is not null && peer is not null)
            throw new CommandFailure(ExitCode.Usage, $"The peer is named twice: '{inFirst}' and '{peer}'. Write {Form}.");
        return (inFirst ?? peer) is { Length: > 0 } address
            ? (EndpointNames.Endpoint(slash < 0 ? text : text[..slash]), address)
            : throw new CommandFailure(ExitCode.Usage, $"The peer is missing. Write {Form}.");
    }

    /// <summary>
    /// The same, of a command with one more argument behind the peer: with 'endpoint/peer' that one is the second.
    /// </summary>
    /// <param name="last">What the last argument is, for the message if it is missing.</param>
    /// <exception cref="CommandFailure">Something is missing, or is there twice.</exception>
    public static (string Endpoint, string Peer, string Last) Read(string endpoint, string? second, string? third, string last)
    {
        bool isShort = third is null && endpoint.Replace("endpoints/", "", StringComparison.Ordinal).Contains('/', StringComparison.Ordinal);
        var (name, peer) = Read(endpoint, isShort ? null : second);
        return (name, peer, (isShort ? second : third)
            ?? throw new CommandFailure(ExitCode.Usage, $"{last} is missing: it comes after the peer. Write the peer as {Form}."));
    }

    /// <summary>The full name of a conversation that is given so, or as endpoint/peer.</summary>
    /// <exception cref="CommandFailure">There is no such conversation yet.</exception>
    public static async Task<string> NameAsync(RelayClient client, string text, CancellationToken cancellation)
    {
        if (text.StartsWith("endpoints/", StringComparison.Ordinal) && text.Split('/') is [_, _, "conversations", _]) return text;
        var (endpoint, peer) = Read(text, null);
        return (await FindAsync(client, endpoint, peer, cancellation)).Name;
    }

    /// <summary>The conversation of an endpoint with a peer.</summary>
    /// <exception cref="CommandFailure">There is none.</exception>
    public static async Task<Conversation> FindAsync(RelayClient client, string endpoint, string peer, CancellationToken cancellation)
    {
        var request = new ResolveConversationRequest { Parent = endpoint, Peer = peer };
        try
        {
            return await client.CallAsync(o => client.Conversations.ResolveConversationAsync(request, o), cancellation);
        }
        catch (RelayException e) when (e.Reason == "CONVERSATION_NOT_FOUND")
        {
            throw new CommandFailure(ExitCode.NotFound, $"There is no conversation of {endpoint} with {Report.Safe(peer)} yet.",
                $"Begin one: relay conversations start {EndpointNames.Id(endpoint)} --peer {Report.Safe(peer)}", e.Reason, e);
        }
    }
}
