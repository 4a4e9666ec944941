using System.Collections.Concurrent;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Relay.Client;

namespace Relay.Bridges;

/// <summary>
/// The bridge's streams with Relay. Endpoints that appear later get a further stream, so that those that are carried already go on without
/// a break.
/// </summary>
internal sealed class WireStreams(
    RelayClient client, EndpointDirectory directory, OutboundLanes lanes, BridgeOptions options, ILogger log)
{
    /// <summary>Endpoints that one stream may open (bridge.proto).</summary>
    private const int EndpointsPerStream = 256;
    private readonly ConcurrentDictionary<string, Bridge> _byEndpoint = new(StringComparer.Ordinal);
    private readonly List<Bridge> _bridges = [];
    private readonly TaskCompletionSource _listed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<RelayException> _refused = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the endpoints were listed for the first time.</summary>
    public Task Listed => _listed.Task;

    public Bridge? BridgeOf(string endpoint) => _byEndpoint.GetValueOrDefault(endpoint);

    /// <summary>Runs until Relay refuses permanently, and returns its refusal.</summary>
    public async Task<RelayException> RunAsync(CancellationToken stopping)
    {
        try
        {
            while (true)
            {
                if (await LookAsync(stopping) is { } refusal) return refusal;
                await Task.WhenAny(Task.Delay(options.EndpointPoll, options.Time, stopping), _refused.Task);
                stopping.ThrowIfCancellationRequested();
                if (_refused.Task.IsCompleted) return await _refused.Task;
            }
        }
        finally
        {
            // Sends the last acknowledgements.
            await Task.WhenAll(_bridges.Select(b => b.DisposeAsync().AsTask()));
        }
    }

    private async Task<RelayException?> LookAsync(CancellationToken stopping)
    {
        try
        {
            var found = await directory.FindNewAsync(client, stopping);
            foreach (var chunk in found.Chunk(EndpointsPerStream)) Open(chunk, stopping);
            if (found.Count > 0) log.EndpointsAdded(options.Name, found.Count);
            _listed.TrySetResult();
            return null;
        }
        catch (RelayException e) when (e.Code is StatusCode.Unauthenticated or StatusCode.PermissionDenied or StatusCode.Unimplemented)
        {
            return e;
        }
        catch (RelayException e)
        {
            log.EndpointsNotListed(options.Name, e.Message);
            return null;
        }
    }

    private void Open((string Name, string Address)[] endpoints, CancellationToken stopping)
    {
        var bridge = client.Bridge([.. endpoints.Select(e => e.Name)]);
        _bridges.Add(bridge);
        foreach (var (name, _) in endpoints) _byEndpoint[name] = bridge;
        _ = ReadAsync(bridge, endpoints, stopping);
        // Known to the network only now, when what it receives has a way to Relay.
        foreach (var (name, address) in endpoints) directory.Add(name, address);
    }

    private async Task ReadAsync(Bridge bridge, (string Name, string Address)[] endpoints, CancellationToken stopping)
    {
        var acks = endpoints.ToDictionary(e => e.Name, _ => new AckOrder());
        try
        {
            await foreach (var message in bridge.Outbound(stopping))
            {
                var order = acks[message.Endpoint];
                var entry = order.Add(message.AckAsync);
                await lanes.AddAsync(new OutboundText(message.Endpoint, message.Peer, message.Message.Sequence, message.Text),
                    () => order.SettleAsync(entry), stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The bridge stops.
        }
        catch (RelayException e)
        {
            _refused.TrySetResult(e);
        }
    }
}
