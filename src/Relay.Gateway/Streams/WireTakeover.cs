using System.Security.Cryptography;
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
internal sealed class WireTakeover(IRelay relay, TimeProvider time)
{
    private readonly ISharedDocuments? _documents = relay.Documents;
    private const int MaxAttempts = 8;
    private readonly Dictionary<string, Claim> _current = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();

    /// <summary>Claims an endpoint, and revokes the previous claim. Dispose of the claim when the stream ends.</summary>
    public async ValueTask<Claim> TakeAsync(string endpointId, CancellationToken cancellation)
    {
        var claim = new Claim(this, endpointId);
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
            claim.Dispose();
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
                if (!await _documents.WriteAsync(Document(claim.EndpointId), version, claim.Id, cancellation)) continue;
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

    private async ValueTask LookAsync(Claim claim, CancellationToken cancellation)
    {
        if (!claim.IsPublished || time.GetElapsedTime(claim.LastLook) < GatewayLimits.TakeoverRecheck) return;
        try
        {
            if (await _documents!.ReadAsync(Document(claim.EndpointId), cancellation) is { } stored
                && !stored.Clear.AsSpan().SequenceEqual(claim.Id))
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

    private void Release(Claim claim)
    {
        lock (_lock)
        {
            if (_current.TryGetValue(claim.EndpointId, out var current) && current == claim) _current.Remove(claim.EndpointId);
        }
    }

    internal sealed class Claim(WireTakeover owner, string endpointId) : IDisposable
    {
        private readonly TaskCompletionSource _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string EndpointId => endpointId;

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

        public void Dispose() => owner.Release(this);
    }
}
