using Relay.Actors.Conversations;

namespace Relay.Actors.Archives;

/// <summary>What has become of the peers of an import.</summary>
/// <param name="Keys">Keys that the endpoint knows by now.</param>
/// <param name="Skipped">Peers whose conversation cannot take keys.</param>
/// <param name="WithoutRoom">Keys of peers with as many as can be known.</param>
internal readonly record struct PeersTold(int Peers, int Keys, int Skipped, int WithoutRoom);

/// <summary>Tells the conversations of an endpoint what is known of their peers' keys elsewhere, several at once.</summary>
internal sealed class PeerImport(IRelay relay, TimeProvider time)
{
    private const int MaxAttempts = 5;

    /// <summary>Tells all peers, or stops at the first failure; what was told by then stays, and a repetition changes nothing of it.</summary>
    public async ValueTask<(ImportReply? Failure, PeersTold Told)> TellAsync(
        string requestId, string endpointId, IReadOnlyList<ArchivedPeer> peers, CancellationToken cancellation)
    {
        int done = 0, keys = 0, skipped = 0, withoutRoom = 0;
        ImportReply? failure = null;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var options = new ParallelOptions { MaxDegreeOfParallelism = RelayLimits.ImportsAtOnce, CancellationToken = stop.Token };
        try
        {
            await Parallel.ForEachAsync(peers, options, async (peer, token) =>
            {
                switch (await TellAsync(requestId, endpointId, peer, token).ConfigureAwait(false))
                {
                    case ConversationReply.Done reply:
                        int known = await CountAsync(endpointId, reply.ConversationId, peer, token).ConfigureAwait(false);
                        Interlocked.Increment(ref done);
                        Interlocked.Add(ref keys, known);
                        Interlocked.Add(ref withoutRoom, peer.Identities.Count - known);
                        break;
                    case ConversationReply.Quarantined or ConversationReply.Refused:
                        Interlocked.Increment(ref skipped);
                        break;
                    case ConversationReply.RequestIdReused:
                        failure = new ImportReply.RequestIdReused();
                        await stop.CancelAsync().ConfigureAwait(false);
                        break;
                    case ConversationReply.NotFound:
                        failure = new ImportReply.NotFound();
                        await stop.CancelAsync().ConfigureAwait(false);
                        break;
                    default:
                        failure = new ImportReply.Unavailable("peers");
                        await stop.CancelAsync().ConfigureAwait(false);
                        break;
                }
            }).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (failure is not null)
        {
        }
        return (failure, new PeersTold(done, keys, skipped, withoutRoom));
    }

    private async ValueTask<ConversationReply> TellAsync(
        string requestId, string endpointId, ArchivedPeer peer, CancellationToken cancellation)
    {
        var address = new ConversationAddress.ByPeer(endpointId, peer.Peer);
        var command = new Command.ImportKeys(requestId, peer.Identities, peer.Latest, peer.HighestVersion);
        for (int attempt = 1; ; attempt++)
        {
            var reply = await relay.AskAsync(address, command, cancellation).ConfigureAwait(false);
            if (reply is not (ConversationReply.Overloaded or ConversationReply.Unavailable) || attempt == MaxAttempts) return reply;
            await Sleep.ForAsync(RelayLimits.AskAgainAfter, time, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>The peer's keys that the conversation knows: it may have had no room for all.</summary>
    private async ValueTask<int> CountAsync(string endpointId, string conversationId, ArchivedPeer peer, CancellationToken cancellation)
    {
        var view = await relay.GetConversationAsync(endpointId, conversationId, cancellation).ConfigureAwait(false);
        return view is null ? 0 : peer.Identities.Count(i => view.Identities.Any(known => known.Fingerprint == i.Fingerprint));
    }
}
