using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Otr.Core;
using Relay.Actors.Conversations;
using Relay.Actors.Telemetry;
using Relay.Storage;

namespace Relay.Actors.Endpoints;

/// <summary>
/// Wakes the conversations of an endpoint whose key was rotated, so that their sessions end without waiting for a message. Sessions that it
/// does not get to, because the node stops, end with their conversation's next message.
/// </summary>
/// <param name="delay">Time for all nodes to hear of the new key.</param>
internal sealed class RotationNotices(
    IRelay relay, Func<ConversationKey, Task> wake, TimeSpan delay, TimeProvider time, ILogger log) : IAsyncDisposable
{
    private readonly Channel<string> _rotated = Channel.CreateBounded<string>(
        new BoundedChannelOptions(RelayLimits.MaxItemsPerRead) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly CancellationTokenSource _stop = new();
    private Task _waking = Task.CompletedTask;

    public void Start() => _waking = WakeAsync();

    /// <summary>An endpoint has got another key.</summary>
    public void Add(string endpointId) => _rotated.Writer.TryWrite(endpointId);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _waking.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task WakeAsync()
    {
        try
        {
            await foreach (var endpointId in _rotated.Reader.ReadAllAsync(_stop.Token).ConfigureAwait(false))
            {
                if (delay > TimeSpan.Zero) await Sleep.ForAsync(delay, time, _stop.Token).ConfigureAwait(false);
                try
                {
                    await WakeAsync(endpointId, _stop.Token).ConfigureAwait(false);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    RelayLog.RotationNoticeFailed(log, endpointId, e is StoreException ? e.Message : e.GetType().Name);
                }
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async Task WakeAsync(string endpointId, CancellationToken cancellation)
    {
        string? after = null;
        do
        {
            var page = await relay.ListConversationsAsync(endpointId, after, RelayLimits.MaxItemsPerRead, cancellation)
                .ConfigureAwait(false);
            var open = page.Where(c => c.Sessions.Any(s => s.State == MessageState.Encrypted));
            var options = new ParallelOptions { MaxDegreeOfParallelism = RelayLimits.RotationWakes, CancellationToken = cancellation };
            await Parallel.ForEachAsync(
                open, options, async (c, _) => await wake(new ConversationKey(endpointId, c.Id)).ConfigureAwait(false))
                .ConfigureAwait(false);
            after = page.Count < RelayLimits.MaxItemsPerRead ? null : page[^1].Id;
        }
        while (after is not null);
    }
}
