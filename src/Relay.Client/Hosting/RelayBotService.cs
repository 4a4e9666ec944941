using System.Collections.Concurrent;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Relay.Client.Streams;
using Relay.V1;

namespace Relay.Client;

/// <summary>
/// Runs one bot: reads its subscription with a credit of as many events as there are places, and handles each when the conversation's earlier
/// one is done. The server gives no second event of a conversation before the first is settled; but it may give one again that was handled
/// for too long, was given back a moment ago, or was in progress when the stream ended.
/// </summary>
internal sealed partial class RelayBotService : BackgroundService, IHealthCheck
{
    /// <summary>A bot that has not heard of its server for so long is not healthy.</summary>
    private static readonly TimeSpan s_silenceLimit = SubscriptionReader.PullWait + TimeSpan.FromSeconds(45);
    /// <summary>The share of the time for an acknowledgement that handling may take: the rest is for the acknowledgement.</summary>
    private const double HandlingShare = 0.9;
    private readonly string _endpoint;
    private readonly RelayClient _client;
    private readonly RelayBotOptions _options;
    private readonly System.Type _handler;
    private readonly IServiceScopeFactory _scopes;
    private readonly ILogger _log;
    private readonly SemaphoreSlim _places;
    /// <summary>The last delivery of each conversation that is in progress.</summary>
    private readonly ConcurrentDictionary<string, Turn> _turns = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _abandoned = new();
    private readonly BotMetrics _metrics;
    private long _lastContact;
    private volatile string? _refusal;
    private volatile bool _isConnected;

    public RelayBotService(string endpoint, RelayClient client, RelayBotOptions options, System.Type handler, IServiceScopeFactory scopes,
        ILogger<RelayBotService> log)
    {
        (_client, _options, _handler, _scopes, _log) = (client, options, handler, scopes, log);
        _endpoint = RelayClient.EndpointName(endpoint);
        _places = new SemaphoreSlim(options.MaxConcurrency, options.MaxConcurrency);
        _metrics = new BotMetrics(_endpoint, () => _turns.Count);
    }

    private TimeProvider Time => _options.Client.Time;

    private string Subscription => $"{_endpoint}/subscriptions/{_options.Subscription}";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        _lastContact = Time.GetTimestamp();
        try
        {
            var ackWait = await OpenAsync(stoppingToken);
            Hear();
            LogStarted(_log, Subscription);
            await ReadAsync(ackWait * HandlingShare, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // What is being handled has been handled to its end, and is acknowledged.
        }
        catch (RelayException e)
        {
            _refusal = e.Message;
            LogRefused(_log, Subscription, e.Reason, e.Message);
            throw;
        }
        finally
        {
            _isConnected = false;
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        // The host has waited as long as it may: what is still under way comes again.
        await using var end = cancellationToken.UnsafeRegister(static s => ((CancellationTokenSource)s!).Cancel(), _abandoned);
        await base.StopAsync(cancellationToken);
    }

    public override void Dispose()
    {
        base.Dispose();
        _metrics.Dispose();
    }

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var silence = Time.GetElapsedTime(Interlocked.Read(ref _lastContact));
        return Task.FromResult(
            _refusal is { } refusal ? HealthCheckResult.Unhealthy("Relay refuses the bot: " + refusal)
            : _isConnected && silence <= s_silenceLimit ? HealthCheckResult.Healthy("Reads " + Subscription)
            : new HealthCheckResult(context.Registration.FailureStatus, "No server of Relay answers the bot."));
    }

    private void Hear()
    {
        Interlocked.Exchange(ref _lastContact, Time.GetTimestamp());
        _isConnected = true;
    }

    /// <summary>Creates the subscription, unless there is one.</summary>
    /// <returns>Its time for an acknowledgement.</returns>
    private async Task<TimeSpan> OpenAsync(CancellationToken stopping)
    {
        var create = new CreateSubscriptionRequest
        {
            Parent = _endpoint, SubscriptionId = _options.Subscription,
            Subscription = new Subscription { AckWait = Duration.FromTimeSpan(_options.AckWait), MaxDeliveries = _options.MaxDeliveries },
        };
        while (true)
        {
            try
            {
                return (await _client.CallAsync(o => _client.Subscriptions.CreateSubscriptionAsync(create, o), stopping)).AckWait.ToTimeSpan();
            }
            catch (RelayException e) when (e.Code == StatusCode.AlreadyExists)
            {
                var get = new GetSubscriptionRequest { Name = Subscription };
                return (await _client.CallAsync(o => _client.Subscriptions.GetSubscriptionAsync(get, o), stopping)).AckWait.ToTimeSpan();
            }
            catch (RelayException e) when (e.IsPassing)
            {
                LogAway(_log, Subscription, e.Message);
            }
        }
    }

    /// <summary>Reads until the host stops, and then until what is being handled is settled.</summary>
    private async Task ReadAsync(TimeSpan timeToHandle, CancellationToken stopping)
    {
        // The consumer has taken a place already when it waits.
        var reader = new SubscriptionReader(_client.Bot(_endpoint), _client, Subscription, _options.MaxConcurrency,
            () => _places.CurrentCount + 1, Hear, Miss);
        using var closing = new CancellationTokenSource();
        var running = reader.RunAsync(closing.Token);
        try
        {
            while (true)
            {
                await _places.WaitAsync(stopping);
                Begin(await TakeAsync(reader, stopping), timeToHandle);
            }
        }
        finally
        {
            reader.Pause();
            await Task.WhenAll(_turns.Values.Select(t => t.Ended));
            await closing.CancelAsync();
            await running;
        }
    }

    private async Task<BotEvent> TakeAsync(SubscriptionReader reader, CancellationToken stopping)
    {
        try
        {
            return await reader.ReadAsync(stopping);
        }
        catch
        {
            _places.Release();
            throw;
        }
    }

    /// <summary>An attempt to reach the server has failed. Servers are restarted: it is worth a word only after a while.</summary>
    private void Miss(RelayException? error)
    {
        if (!_isConnected || Time.GetElapsedTime(Interlocked.Read(ref _lastContact)) <= _options.Client.GiveUpAfter) return;
        _isConnected = false;
        LogAway(_log, Subscription, error?.Message ?? "The connection breaks.");
    }

    private void Begin(BotEvent e, TimeSpan timeToHandle)
    {
        var turn = new Turn(e);
        var earlier = _turns.GetValueOrDefault(turn.Conversation);
        _turns[turn.Conversation] = turn;
        _ = HandleAsync(turn, earlier, timeToHandle);
    }

    private async Task HandleAsync(Turn turn, Turn? earlier, TimeSpan timeToHandle)
    {
        // Handlers that do not wait must not keep the reader from the next event.
        await Task.Yield();
        using var limit = new CancellationTokenSource(timeToHandle, Time);
        var e = turn.Event;
        bool isDone = false;
        try
        {
            // An event that comes again because its acknowledgement came late is done; this delivery takes credit until that is said.
            isDone = earlier is not null && await earlier.Ended && earlier.Event.Message.Cursor == e.Message.Cursor;
            isDone = isDone ? await AcknowledgeAsync(e) : await HandleAsync(e, limit.Token);
        }
        finally
        {
            _turns.TryRemove(KeyValuePair.Create(turn.Conversation, turn));
            _places.Release();
            turn.End(isDone);
        }
    }

    private async Task<bool> AcknowledgeAsync(BotEvent e)
    {
        try
        {
            await e.AckAsync(_abandoned.Token);
        }
        catch (Exception error)
        {
            LogUnsettled(_log, Subscription, error.GetType().Name);
        }
        return true;
    }

    /// <summary>Handles an event and settles it.</summary>
    /// <returns>True if it does not come again.</returns>
    private async Task<bool> HandleAsync(BotEvent e, CancellationToken limit)
    {
        long begun = Time.GetTimestamp();
        var result = "DONE";
        try
        {
            await using var scope = _scopes.CreateAsyncScope();
            var handler = (BotHandler)scope.ServiceProvider.GetRequiredService(_handler);
            try
            {
                using var either = CancellationTokenSource.CreateLinkedTokenSource(limit, _abandoned.Token);
                await handler.HandleAsync(e, either.Token);
            }
            catch (Exception error)
            {
                // A message of an exception may quote a text or an address.
                LogFailed(_log, Subscription, error.GetType().Name, e.Delivery);
                result = "FAILED";
                await handler.HandleErrorAsync(e, error, _abandoned.Token);
            }
            if (e.Settlement is Settlement.None) await e.AckAsync(_abandoned.Token);
        }
        catch (Exception error)
        {
            LogUnsettled(_log, Subscription, error.GetType().Name);
            result = "UNSETTLED";
        }
        _metrics.Handled(Time.GetElapsedTime(begun), result);
        return result is not "UNSETTLED" && e.Settlement is Settlement.Final;
    }

    /// <summary>One delivery of an event, which the next one of its conversation waits for.</summary>
    private sealed class Turn(BotEvent e)
    {
        private readonly TaskCompletionSource<bool> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public BotEvent Event => e;

        /// <summary>What is done in order: a conversation's events, or one that is of none.</summary>
        public string Conversation => e.Conversation.Length > 0 ? e.Conversation : e.Message.Cursor;

        /// <summary>Whether the event was acknowledged or set aside, at the end.</summary>
        public Task<bool> Ended => _ended.Task;

        public void End(bool isDone) => _ended.SetResult(isDone);
    }

    [LoggerMessage(5000, LogLevel.Information, "The bot reads {Subscription}")]
    private static partial void LogStarted(ILogger log, string subscription);

    [LoggerMessage(5001, LogLevel.Warning, "The bot of {Subscription} gets no answer from Relay, and goes on trying. {Reason}")]
    private static partial void LogAway(ILogger log, string subscription, string reason);

    [LoggerMessage(5002, LogLevel.Critical, "Relay refuses the bot of {Subscription}, which ends: {Reason} {Detail}")]
    private static partial void LogRefused(ILogger log, string subscription, string reason, string detail);

    [LoggerMessage(5003, LogLevel.Warning, "The bot of {Subscription} failed to handle an event: {Exception}, at delivery {Delivery}")]
    private static partial void LogFailed(ILogger log, string subscription, string exception, int delivery);

    [LoggerMessage(5004, LogLevel.Warning, "The bot of {Subscription} could not settle an event, which comes again: {Exception}")]
    private static partial void LogUnsettled(ILogger log, string subscription, string exception);
}
