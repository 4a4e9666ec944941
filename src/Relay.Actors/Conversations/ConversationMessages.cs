using System.Diagnostics;
using Relay.Storage;

namespace Relay.Actors.Conversations;

/// <summary>The key of a conversation: the endpoint's id and the conversation's, which is a keyed hash of endpoint and peer.</summary>
internal readonly record struct ConversationKey(string EndpointId, string ConversationId)
{
    private const char Separator = '/';

    /// <summary>
    /// The id of the entity. It contains the endpoint, so that a caller who names another endpoint's conversation by its id does
    /// not reach that entity.
    /// </summary>
    public string EntityId => string.Concat(EndpointId, "/", ConversationId);

    /// <exception cref="FormatException">It was not made by <see cref="EntityId"/>.</exception>
    public static ConversationKey OfEntity(string entityId)
    {
        int at = entityId.LastIndexOf(Separator);
        if (at < 1 || at == entityId.Length - 1) throw new FormatException("An entity's id is an endpoint and a conversation.");
        return new ConversationKey(entityId[..at], entityId[(at + 1)..]);
    }
}

/// <summary>A message to the entity of one conversation. The region routes it by <see cref="Key"/>.</summary>
internal interface IConversationMessage
{
    ConversationKey Key { get; }

    /// <summary>The command's id; empty for a message without one.</summary>
    string RequestId { get; }
}

/// <summary>
/// The entity's reply, with the command that it belongs to: the sender compares both, so that a recorded reply has no effect.
/// </summary>
internal sealed record ConversationAnswer(ConversationKey Key, string RequestId, ConversationReply Reply)
{
    public override string ToString() => $"ConversationAnswer {{ {Reply.GetType().Name} }}";
}

/// <summary>A command of a bot or a bridge on its way to the entity, which sends one <see cref="ConversationAnswer"/> back.</summary>
/// <param name="Peer">The peer's address. Null for a command by conversation id, which finds existing conversations only.</param>
/// <param name="Command">The command with its idempotency key.</param>
/// <param name="ExpiresAtMs">
/// Unix time in ms after which the command has no effect any more, by the clock of the entity's node. The entity checks it
/// after its state is loaded: only then does the request log show what was done meanwhile.
/// </param>
/// <param name="TraceContext">The span of the caller: <see cref="Activity.Current"/> does not cross into actors.</param>
internal sealed record ConversationCommand(
    ConversationKey Key, string? Peer, Command Command, long ExpiresAtMs, ActivityContext TraceContext) : IConversationMessage
{
    /// <summary>
    /// True for a retry. The entity drops it while the first one is queued or being processed, so that its sender gets one reply.
    /// </summary>
    public bool IsRepeated { get; init; }

    public string RequestId => Command.RequestId;

    /// <summary>Names the kind of the command only: ids, addresses and text stay out of logs.</summary>
    public override string ToString() => $"ConversationCommand {{ {Command.GetType().Name} }}";
}

/// <summary>
/// A wake-up: a stored deadline is due. The entity replies with <see cref="ConversationReply.Done"/> once it has handled it.
/// </summary>
internal sealed record Wake(ConversationKey Key) : IConversationMessage
{
    public string RequestId => "";

    public override string ToString() => nameof(Wake);
}

/// <summary>
/// Append notification to the other nodes: which streams have grown, and up to which sequence. It may be lost: readers also
/// poll.
/// </summary>
internal sealed record StreamsGrew(IReadOnlyList<StreamGrowth> Streams)
{
    public override string ToString() => $"StreamsGrew {{ {Streams.Count} }}";
}

/// <param name="Last">The last sequence that was appended.</param>
internal readonly record struct StreamGrowth(StreamKey Stream, ulong Last);

/// <summary>
/// Stops an entity, for passivation or a shard's hand-over. The commit under way is completed and answered.
/// </summary>
/// <param name="IsHandOver">
/// True if the shard moves to another node: queued messages are answered with <see cref="ConversationReply.Unavailable"/> for
/// the reason <see cref="ConversationReply.Moved"/>. Otherwise the entity processes them before it stops.
/// </param>
internal sealed record Stop(bool IsHandOver)
{
    /// <summary>The stop message of the region, when a shard is handed over.</summary>
    public static Stop HandOver { get; } = new(true);

    /// <summary>The stop message in an idle entity's Passivate.</summary>
    public static Stop Passivation { get; } = new(false);
}
