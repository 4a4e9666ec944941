using System.Diagnostics;
using Relay.Storage;

namespace Relay.Actors.Conversations;

/// <summary>Names one conversation: the endpoint's id and the conversation's, which is a keyed hash of endpoint and peer.</summary>
internal readonly record struct ConversationKey(string EndpointId, string ConversationId)
{
    private const char Separator = '/';

    /// <summary>
    /// The id of the entity. It has the endpoint in it: a caller may name any conversation by its id, and must not get at
    /// the entity of another endpoint's.
    /// </summary>
    public string EntityId => string.Concat(EndpointId, "/", ConversationId);

    /// <exception cref="FormatException">It is not what <see cref="EntityId"/> gives.</exception>
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
/// The entity's reply, with what it is a reply to: the asker compares both, so that a reply recorded elsewhere says nothing.
/// </summary>
internal sealed record ConversationAnswer(ConversationKey Key, string RequestId, ConversationReply Reply)
{
    public override string ToString() => $"ConversationAnswer {{ {Reply.GetType().Name} }}";
}

/// <summary>A command of a bot or a bridge on its way to the entity, which sends one <see cref="ConversationAnswer"/> back.</summary>
/// <param name="Peer">The peer's address. Null for a command by conversation id, which finds existing conversations only.</param>
/// <param name="Command">What is asked, with the request id by which a repetition is recognised.</param>
/// <param name="ExpiresAtMs">
/// Unix time in ms after which the command has no effect any more, by the clock of the entity's node. The entity looks at
/// it once its state is loaded: only then does the request log show what was done meanwhile.
/// </param>
/// <param name="TraceContext">The span of the caller: <see cref="Activity.Current"/> does not cross into actors.</param>
internal sealed record ConversationCommand(
    ConversationKey Key, string? Peer, Command Command, long ExpiresAtMs, ActivityContext TraceContext) : IConversationMessage
{
    /// <summary>
    /// True for what the sender has sent before and got no answer to. The entity drops it if the earlier one still waits;
    /// its sender is then answered once, by that one.
    /// </summary>
    public bool IsRepeated { get; init; }

    public string RequestId => Command.RequestId;

    /// <summary>Names the kind of the command only: ids, addresses and text stay out of logs.</summary>
    public override string ToString() => $"ConversationCommand {{ {Command.GetType().Name} }}";
}

/// <summary>
/// Tells the entity that a stored deadline is due. It answers the sender with <see cref="ConversationReply.Done"/> once that
/// is dealt with.
/// </summary>
internal sealed record Wake(ConversationKey Key) : IConversationMessage
{
    public string RequestId => "";

    public override string ToString() => nameof(Wake);
}

/// <summary>
/// Tells the other nodes which streams have grown, and up to which sequence. It may be lost: readers look for themselves too.
/// </summary>
internal sealed record StreamsGrew(IReadOnlyList<StreamGrowth> Streams)
{
    public override string ToString() => $"StreamsGrew {{ {Streams.Count} }}";
}

/// <param name="Last">The last sequence that was given out.</param>
internal readonly record struct StreamGrowth(StreamKey Stream, ulong Last);

/// <summary>
/// Ends an entity: the stop message of passivation and of a shard's hand-over. The commit under way is finished and answered.
/// </summary>
/// <param name="IsHandOver">
/// The shard goes to another node: what still waits is answered with <see cref="ConversationReply.Unavailable"/> for the
/// reason <see cref="ConversationReply.Moved"/>. Otherwise the entity finishes what waits before it ends.
/// </param>
internal sealed record Stop(bool IsHandOver)
{
    /// <summary>The stop message of the region, when a shard is handed over.</summary>
    public static Stop HandOver { get; } = new(true);

    /// <summary>What an idle entity has its parent send it by Passivate.</summary>
    public static Stop Passivation { get; } = new(false);
}
