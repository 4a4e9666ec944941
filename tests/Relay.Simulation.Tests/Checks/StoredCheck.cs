using Otr.Core;
using Relay.Actors;
using Relay.Actors.Conversations;
using Relay.Simulation.Tests.Engine;
using Relay.Simulation.Tests.Nodes;
using Relay.Simulation.Tests.Store;
using Relay.Storage.Sealing;

namespace Relay.Simulation.Tests.Checks;

/// <summary>Opens what is stored at the end and compares it with what those outside were told.</summary>
internal static class StoredCheck
{
    /// <param name="commands">All that were answered.</param>
    public static void Check(SimStore store, Checker checker, string endpoint, string conversation, IReadOnlyList<Command> commands, Profile profile)
    {
        using var key = new SealingKey(Cluster.SealingKey);
        using var sealer = new Sealer(key, new SimRandom(0).Fill);
        using var ids = new KeyedIds(Cluster.IdKey);
        var stored = store.Load(endpoint, conversation) ?? throw new ViolationException(Invariant.StoredIsTold, "A conversation is not stored.");
        var view = ConversationState.TryOpenView(sealer, new RowKey(endpoint, conversation, stored.Version), stored.Sealed, default);
        if (view is not { State: MessageState.Encrypted, Sessions.Count: 1 }) throw new ViolationException(Invariant.StoredIsTold, $"The stored conversation is in {view?.State}.");
        var log = ConversationState.TryOpenLog(sealer, stored, profile.Log, 0)
            ?? throw new ViolationException(Invariant.StoredIsTold, "A row of ids does not open.");
        foreach (var command in commands)
        {
            var identity = RequestIdentity.Of(ids, command);
            var found = log.Find(identity.Id);
            // A small log has forgotten the older ones.
            if (found is null && commands.Count > profile.Log.MaxIds) continue;
            if (found?.Content != identity.Content || found.Answer != checker.Answers[command.RequestId])
                throw new ViolationException(Invariant.StoredIsTold, $"{command.RequestId} was answered with {checker.Answers[command.RequestId]}, stored is {found?.Answer}.");
        }
        if (log.Count > profile.Log.MaxRecentIds) throw new ViolationException(Invariant.Bounds, "More ids are remembered than the bound allows.");
    }
}
