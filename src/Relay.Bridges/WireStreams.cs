using System.Collections.Concurrent;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Relay.Client;

namespace Relay.Bridges;

/// <summary>
/// The bridge's streams with Relay, one for each endpoint: endpoints come and go, and a stream ends with its endpoint, so that the others
/// must not share it.
/// </summary>
internal sealed class WireStreams(
    RelayClient client, EndpointDirectory directory, OutboundLanes lanes, BridgeOptions options, ILogger log)
{
    private readonly ConcurrentDictionary<string, Bridge> _bridges = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _listed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<RelayException> _refused = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the endpoints were listed for the first time.</summary>
    public Task Listed => _listed.Task;

    public Bridge? BridgeOf(string endpoint) => _bridges.GetValueOrDefault(endpoint);

    /// <summary>Runs until Relay refuses permanently, and returns its refusal.</summary>
    public async Task<RelayException> RunAsync(CancellationToken stopping)
    {
        try
        {
            while (true)
            {
                var look = directory.BeginLook();
                if (await LookAsync(stopping) is { } refusal) return refusal;
                look.TrySetResult();
                await Task.WhenAny(Task.Delay(options.MinEndpointPoll, options.Time, stopping), _refused.Task);
                await Task.WhenAny(Task.Delay(options.EndpointPoll, options.Time, stopping), _refused.Task, directory.Asked);
                stopping.ThrowIfCancellationRequested();
                if (_refused.Task.IsCompleted) return await _refused.Task;
            }
        }
        finally
        {
            // Sends the last acknowledgements.
            await Task.WhenAll(_bridges.Values.Select(b => b.DisposeAsync().AsTask()));
        }
    }

    private async Task<RelayException?> LookAsync(CancellationToken stopping)
    {
        try
        {
            var found = await directory.FindNewAsync(client, stopping);
            foreach (var (name, address) in found) Open(name, address, stopping);
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

    private void Open(string name, string address, CancellationToken stopping)
    {
        var bridge = client.Bridge(name);
        _bridges[name] = bridge;
        _ = ReadAsync(name, bridge, stopping);
        // Known to the network only now, when what it receives has a way to Relay.
        directory.Add(name, address);
    }

    private async Task ReadAsync(string name, Bridge bridge, CancellationToken stopping)
    {
        var order = new AckOrder();
        try
        {
            await foreach (var message in bridge.Outbound(stopping))
            {
                var entry = order.Add(message.AckAsync);
                if (message is { File: not null, FileUrl: null })
                {
                    // These networks bring no blobs: the peer would wait for one that never comes.
                    log.FileNotCarried(options.Name);
                    await SettleAsync(message, Failures.FileNotCarried, order, entry, stopping);
                    continue;
                }
                var text = new OutboundText(name, message.Peer, message.Message.Sequence, message.Text)
                {
                    Message = message.EndsMessage ? message.Message.Message : null,
                    FileUrl = message.FileUrl,
                };
                await lanes.AddAsync(text, failure => SettleAsync(message, failure, order, entry, stopping), stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The bridge stops.
        }
        catch (RelayException e) when (e.Code == StatusCode.NotFound)
        {
            // The endpoint was deleted or has expired. It is found again if it is undeleted.
            directory.Remove(name);
            _bridges.TryRemove(name, out _);
            log.EndpointGone(options.Name);
            await bridge.DisposeAsync();
        }
        catch (RelayException e)
        {
            _refused.TrySetResult(e);
        }
    }

    /// <summary>Relay knows that a text was refused before it is acknowledged: what is acknowledged counts as carried.</summary>
    private async ValueTask SettleAsync(
        OutboundMessage message, string failure, AckOrder order, AckOrder.Entry entry, CancellationToken stopping)
    {
        if (failure.Length > 0 && !await TryRefuseAsync(message, failure, stopping)) return;
        await order.SettleAsync(entry);
    }

    /// <returns>False if it is not known to Relay: the text comes again with the next start.</returns>
    private async Task<bool> TryRefuseAsync(OutboundMessage message, string failure, CancellationToken stopping)
    {
        while (true)
        {
            try
            {
                await message.RefuseAsync(failure, stopping);
                return true;
            }
            catch (RelayException e) when (e.Code == StatusCode.NotFound)
            {
                // The endpoint is gone, and its stream ends.
                return false;
            }
            catch (RelayException e) when (e.Code is not (StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.ResourceExhausted))
            {
                _refused.TrySetResult(e);
                return false;
            }
            catch (RelayException)
            {
                await Task.Delay(options.FirstBackoff, options.Time, stopping);
            }
        }
    }
}
