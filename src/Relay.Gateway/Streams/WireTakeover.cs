using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using Relay.Actors;
using Relay.Gateway.Hosting;
using Relay.Storage;

namespace Relay.Gateway.Streams;

/// <summary>
/// Ensures that one bridge stream at a time delivers an endpoint's wire text, because a peer that receives a message twice
/// reports a forgery. The newest stream wins: its bridge is the one that is alive. In a cluster the newest claim is stored in a
/// shared document, which a stream checks before it delivers, at most once per <see cref="GatewayLimits.TakeoverRecheck"/>. An
/// idle stream therefore reads nothing. Items that two streams deliver in that interval were not acknowledged, so they could
/// have been delivered twice without a takeover as well.
/// </summary>
internal sealed class WireTakeover(IRelay relay, IOptions<RelayOptions> options, TimeProvider time)
{
    private const int MaxAttempts = 8, IdBytes = 16, HeadBytes = IdBytes + sizeof(long);

    private readonly ISharedDocuments? _documents = relay.Documents;
    private readonly string _node = options.Value.Node;
    private readonly Dictionary<string, Claim> _current = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();

    /// <summary>Since when a bridge has the endpoint's stream open, at whichever node; null: none has.</summary>
    /// <exception cref="StoreException">The other nodes' claims cannot be read.</exception>
    public async ValueTask<DateTimeOffset?> ConnectedSinceAsync(string endpointId, CancellationToken cancellation)
    {
        lock (_lock)
        {
            if (_current.TryGetValue(endpointId, out var own) && !own.Lost.IsCompleted) return own.Since;
        }
        if (_documents is null) return null;
        if (await _documents.ReadAsync(Document(endpointId), cancellation) is not { Clear: var stored } || stored.Length < HeadBytes) return null;
        // This node's own are known above. One of a node that has left the cluster could not be withdrawn.
        var node = Encoding.UTF8.GetString(stored.AsSpan(HeadBytes));
        if (node == _node || (await relay.ListNodesAsync(cancellation)).All(n => n.Name != node)) return null;
        return DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64BigEndian(stored.AsSpan(IdBytes)));
    }

    /// <summary>Claims an endpoint, and revokes the previous claim. Dispose of the claim when the stream ends.</summary>
    public async ValueTask<Claim> TakeAsync(string endpointId, CancellationToken cancellation)
    {
        var claim = new Claim(this, endpointId, time.GetUtcNow());
        Claim? before;
        lock (_lock)
        {
            _current.TryGetValue(endpointId, out before);
            _current[endpointId] = claim;
        }
        before?.Lose();
        try
        {
            if (_documents is not null) await PublishAsync(claim, cancellation);
            return claim;
        }
        catch
        {
            await claim.DisposeAsync();
            throw;
        }
    }

    private static string Document(string endpointId) => "wire-stream/" + endpointId;

    /// <summary>Stores the claim in the cluster, as a best effort: if it fails, the stream is still the newest of its node.</summary>
    private async ValueTask PublishAsync(Claim claim, CancellationToken cancellation)
    {
        try
        {
            for (int attempt = 0; attempt < MaxAttempts; attempt++)
            {
                ulong version = await _documents!.VersionAsync(Document(claim.EndpointId), cancellation);
                if (!await _documents.WriteAsync(Document(claim.EndpointId), version, Content(claim), cancellation)) continue;
                claim.IsPublished = true;
                claim.LastLook = time.GetTimestamp();
                return;
            }
        }
        catch (StoreException)
        {
            // The store fails for reads too, and that failure is reported to the client.
        }
    }

    /// <summary>The claim's id, when it was made (ms since 1970, big-endian), and the node's name.</summary>
    private byte[] Content(Claim claim)
    {
        var since = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(since, claim.Since.ToUnixTimeMilliseconds());
        return [.. claim.Id, .. since, .. Encoding.UTF8.GetBytes(_node)];
    }

    private static bool IsOf(Claim claim, byte[] stored) => stored.Length >= IdBytes && stored.AsSpan(0, IdBytes).SequenceEqual(claim.Id);

    /// <summary>Tells the cluster that the stream has ended, as a best effort.</summary>
    private async Task WithdrawAsync(Claim claim)
    {
        using var limit = new CancellationTokenSource(GatewayLimits.ReleaseTimeout);
        try
        {
            if (await _documents!.ReadAsync(Document(claim.EndpointId), limit.Token) is { } stored && IsOf(claim, stored.Clear))
                await _documents.WriteAsync(Document(claim.EndpointId), stored.Version, Array.Empty<byte>(), limit.Token);
        }
        catch (Exception e) when (e is StoreException or DamagedDocumentException or OperationCanceledException)
        {
            // The next claim takes its place, or its node leaves the cluster.
        }
    }

    private async ValueTask LookAsync(Claim claim, CancellationToken cancellation)
    {
        if (!claim.IsPublished || time.GetElapsedTime(claim.LastLook) < GatewayLimits.TakeoverRecheck) return;
        try
        {
            if (await _documents!.ReadAsync(Document(claim.EndpointId), cancellation) is { } stored
                && !IsOf(claim, stored.Clear))
            {
                claim.Lose();
            }
            claim.LastLook = time.GetTimestamp();
        }
        catch (Exception e) when (e is StoreException or DamagedDocumentException)
        {
            // The owner is not known; the next delivery checks again.
        }
    }

    private async ValueTask ReleaseAsync(Claim claim)
    {
        lock (_lock)
        {
            if (_current.TryGetValue(claim.EndpointId, out var current) && current == claim) _current.Remove(claim.EndpointId);
        }
        if (claim.IsPublished && !claim.Lost.IsCompleted) await WithdrawAsync(claim);
    }

    internal sealed class Claim(WireTakeover owner, string endpointId, DateTimeOffset since) : IAsyncDisposable
    {
        private readonly TaskCompletionSource _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string EndpointId => endpointId;

        public DateTimeOffset Since => since;

        /// <summary>16 random bytes that distinguish the claim from those of other nodes.</summary>
        public byte[] Id { get; } = RandomNumberGenerator.GetBytes(16);

        public bool IsPublished { get; set; }

        public long LastLook { get; set; }

        /// <summary>Completes when another stream has claimed the endpoint.</summary>
        public Task Lost => _lost.Task;

        public void Lose() => _lost.TrySetResult();

        /// <summary>True if no newer claim is known.</summary>
        public async ValueTask<bool> HoldsAsync(CancellationToken cancellation)
        {
            await owner.LookAsync(this, cancellation);
            return !_lost.Task.IsCompleted;
        }

        public ValueTask DisposeAsync() => owner.ReleaseAsync(this);
    }
}
