namespace Relay.Gateway.Streams;

/// <summary>
/// One bridge stream at a time carries an endpoint's wire text out, since a peer that gets a message twice sees a
/// forgery. The newest stream wins; it is the one whose bridge is alive.
/// </summary>
internal sealed class WireTakeover
{
    private readonly Dictionary<string, Claim> _current = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();

    /// <summary>Claims an endpoint, and ends whoever had it. Dispose of the claim when the stream ends.</summary>
    public Claim Take(string endpointId)
    {
        var claim = new Claim(this, endpointId);
        Claim? before;
        lock (_lock)
        {
            _current.TryGetValue(endpointId, out before);
            _current[endpointId] = claim;
        }
        before?.Lose();
        return claim;
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

        /// <summary>Completes when another stream has taken the endpoint.</summary>
        public Task Lost => _lost.Task;

        public void Lose() => _lost.TrySetResult();

        public void Dispose() => owner.Release(this);
    }
}
