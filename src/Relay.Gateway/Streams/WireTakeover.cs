using System.Security.Cryptography;
using Relay.Actors;
using Relay.Gateway.Hosting;
using Relay.Storage;

namespace Relay.Gateway.Streams;

/// <summary>
/// One bridge stream at a time carries an endpoint's wire text out, since a peer that gets a message twice sees a
/// forgery. The newest stream wins; it is the one whose bridge is alive. In a cluster the newest is written into a shared
/// document, which a stream looks at before it delivers, at most once in <see cref="GatewayLimits.TakeoverRecheck"/>: that
/// costs an idle stream nothing, and what two carry meanwhile was not acknowledged, so it might have come twice anyway.
/// </summary>
internal sealed class WireTakeover(IRelay relay, TimeProvider time)
{
    private readonly ISharedDocuments? _documents = relay.Documents;
    private const int MaxAttempts = 8;
    private readonly Dictionary<string, Claim> _current = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();

    /// <summary>Claims an endpoint, and ends whoever had it. Dispose of the claim when the stream ends.</summary>
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

    /// <summary>Best effort: a stream that cannot claim what it reads is still the newest of its node.</summary>
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
            // Reading fails as well then, and tells the client.
        }
    }

    private async ValueTask LookAsync(Claim claim, CancellationToken cancellation)
    {
        if (!claim.IsPublished || time.GetElapsedTime(claim.LastLook) < GatewayLimits.TakeoverRecheck) return;
        try
        {
            if (await _documents!.ReadAsync(Document(claim.EndpointId), cancellation) is { } stored && !stored.Clear.AsSpan().SequenceEqual(claim.Id)) claim.Lose();
            claim.LastLook = time.GetTimestamp();
        }
        catch (Exception e) when (e is StoreException or DamagedDocumentException)
        {
            // Not known: the next delivery looks again.
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

        /// <summary>Tells it from every other claim.</summary>
        public byte[] Id { get; } = RandomNumberGenerator.GetBytes(16);

        public bool IsPublished { get; set; }

        public long LastLook { get; set; }

        /// <summary>Completes when another stream has taken the endpoint.</summary>
        public Task Lost => _lost.Task;

        public void Lose() => _lost.TrySetResult();

        /// <summary>True if the endpoint is this stream's still, as far as is known.</summary>
        public async ValueTask<bool> HoldsAsync(CancellationToken cancellation)
        {
            await owner.LookAsync(this, cancellation);
            return !_lost.Task.IsCompleted;
        }

        public void Dispose() => owner.Release(this);
    }
}
