using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.Extensions.Options;
using Relay.Actors;
using Relay.Actors.Subscriptions;
using Relay.Gateway.Api;
using Relay.Gateway.Auth;
using Relay.Gateway.Hosting;
using Relay.Gateway.Streams;
using Relay.Gateway.Telemetry;

namespace Relay.Gateway.Services;

/// <summary>Manages the named subscriptions of an endpoint, and delivers their events.</summary>
internal sealed class SubscriptionService(
    IRelay relay, IApiKeyStore keys, TimeProvider time, IOptions<RelayOptions> options, GatewayMetrics metrics)
    : V1.SubscriptionService.SubscriptionServiceBase
{
    private static readonly string[] s_mutable = ["types", "ack_wait", "max_deliveries", "webhook", "webhook.secret"];

    public override async Task<V1.Subscription> CreateSubscription(V1.CreateSubscriptionRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.AddIf(!ResourceNames.TryParseEndpoint(request.Parent, out var endpointId), "parent", "must be endpoints/{endpoint}");
        violations.AddIf(!ResourceNames.IsEndpointId(request.SubscriptionId), "subscription_id",
            "must be 1 to 63 of [a-z0-9-], beginning with a letter");
        var settings = SubscriptionMapping.ToSettings(
            request.SubscriptionId, request.Subscription ?? new V1.Subscription(), "subscription.", violations) with
        {
            Webhook = SubscriptionMapping.ToWebhook(request.Subscription?.Webhook, null, true, "subscription.", violations),
        };
        violations.ThrowIfAny();
        Principal.Of(context).RequireEndpoint(endpointId!);
        var result = await relay.Subscriptions.SaveAsync(endpointId!, settings, true, context.CancellationToken);
        if (result == SubscriptionChange.WrongName)
        {
            throw ApiErrors.AlreadyExists(Reasons.SubscriptionExists, "subscription",
                ResourceNames.Subscription(endpointId!, settings.Name), "The endpoint has a subscription of this name.");
        }
        Require(result, endpointId!, settings.Name);
        return WithMadeSecret(SubscriptionMapping.ToMessage(endpointId!, settings), settings, request.Subscription?.Webhook);
    }

    public override async Task<V1.Subscription> GetSubscription(V1.GetSubscriptionRequest request, ServerCallContext context)
    {
        var (endpointId, settings) = await FindAsync(request.Name, "name", new Violations(), context);
        var described = await AskAsync<SubscriptionReply.Described>(endpointId, settings, new SubscriptionRequest.Describe(), context);
        return SubscriptionMapping.ToMessage(endpointId, settings, described, time.GetUtcNow());
    }

    public override async Task<V1.ListSubscriptionsResponse> ListSubscriptions(
        V1.ListSubscriptionsRequest request, ServerCallContext context)
    {
        if (!ResourceNames.TryParseEndpoint(request.Parent, out var endpointId))
            throw ApiErrors.InvalidArgument("parent", "must be endpoints/{endpoint}");
        Principal.Of(context).RequireEndpoint(endpointId);
        var view = await relay.Endpoints.FindActiveAsync(endpointId, context.CancellationToken)
            ?? throw Replies.EndpointNotFound(endpointId);
        var response = new V1.ListSubscriptionsResponse();
        response.Subscriptions.AddRange(view.Settings.Subscriptions.Select(s => SubscriptionMapping.ToMessage(endpointId, s)));
        return response;
    }

    public override async Task<V1.Subscription> UpdateSubscription(V1.UpdateSubscriptionRequest request, ServerCallContext context)
    {
        var change = request.Subscription ?? new V1.Subscription();
        var mask = FieldMasks.Normalize(request.UpdateMask);
        var violations = new Violations();
        violations.AddIf(mask.Paths.Count == 0, "update_mask", "is required");
        violations.AddIf(mask.Paths.Any(p => !s_mutable.Contains(p)), "update_mask", $"may name {string.Join(", ", s_mutable)}");
        var (endpointId, current) = await FindAsync(change.Name, "subscription.name", violations, context);
        var merged = SubscriptionMapping.ToMessage(endpointId, current);
        foreach (var path in mask.Paths)
        {
            switch (path)
            {
                case "types":
                    merged.Types_.Clear();
                    merged.Types_.AddRange(change.Types_);
                    break;
                case "ack_wait":
                    merged.AckWait = change.AckWait;
                    break;
                case "max_deliveries" when change.HasMaxDeliveries:
                    merged.MaxDeliveries = change.MaxDeliveries;
                    break;
                case "max_deliveries":
                    merged.ClearMaxDeliveries();
                    break;
            }
        }
        var webhook = current.Webhook;
        if (mask.Paths.Contains("webhook"))
            webhook = SubscriptionMapping.ToWebhook(change.Webhook, webhook, false, "subscription.", violations);
        else if (mask.Paths.Contains("webhook.secret") && webhook is not null)
        {
            var secret = new V1.Webhook { Url = webhook.Url, Secret = change.Webhook?.Secret ?? "" };
            webhook = SubscriptionMapping.ToWebhook(secret, webhook, true, "subscription.", violations);
        }
        var settings = SubscriptionMapping.ToSettings(current.Name, merged, "subscription.", violations) with { Webhook = webhook };
        violations.ThrowIfAny();
        Require(await relay.Subscriptions.SaveAsync(endpointId, settings, false, context.CancellationToken), endpointId, current.Name);
        var made = webhook?.Secret == current.Webhook?.Secret ? null : settings.Webhook;
        return WithMadeSecret(SubscriptionMapping.ToMessage(endpointId, settings), settings with { Webhook = made }, change.Webhook);
    }

    public override async Task<V1.DeleteSubscriptionResponse> DeleteSubscription(
        V1.DeleteSubscriptionRequest request, ServerCallContext context)
    {
        var (endpointId, settings) = await FindAsync(request.Name, "name", new Violations(), context);
        Require(await relay.Subscriptions.DeleteAsync(endpointId, settings.Name, context.CancellationToken), endpointId, settings.Name);
        return new V1.DeleteSubscriptionResponse();
    }

    public override async Task<V1.PullSubscriptionResponse> PullSubscription(V1.PullSubscriptionRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        int max = Paging.ParseSize(request.MaxEvents, "max_events", violations);
        var wait = request.Wait is null ? TimeSpan.Zero : RequestDurations.Within(request.Wait, GatewayLimits.MaxPullWait);
        violations.AddIf(wait is null, "wait", $"must be 0 to {GatewayLimits.MaxPullWait.TotalSeconds} seconds");
        var (endpointId, settings) = await FindAsync(request.Name, "name", violations, context);
        var reader = new SubscriptionReader(relay, endpointId, settings);
        var response = new V1.PullSubscriptionResponse();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, relay.Draining);
        var keyInvalid = Principal.Of(context).WatchAsync(keys, time, ending.Token);
        long start = time.GetTimestamp();
        var called = time.GetUtcNow();
        try
        {
            do
            {
                var left = wait!.Value - time.GetElapsedTime(start);
                var delivered = await reader.TakeAsync(max, left > TimeSpan.Zero ? left : TimeSpan.Zero, waiting.Token);
                metrics.Delivered("subscription", delivered.Events, called, time.GetUtcNow());
                response.Events.AddRange(delivered.Events.Select(
                    e => SubscriptionMapping.ToMessage(endpointId, settings.Name, e.Item, e.Delivery)));
            }
            while (response.Events.Count == 0 && time.GetElapsedTime(start) < wait && !relay.Draining.IsCancellationRequested
                && !keyInvalid.IsCompleted);
            context.CancellationToken.ThrowIfCancellationRequested();
        }
        catch (OperationCanceledException) when (waiting.IsCancellationRequested)
        {
            // The reader is gone, or has to go to another node. What it was lent meanwhile is somebody else's at once.
            await reader.ReleaseAsync();
            context.CancellationToken.ThrowIfCancellationRequested();
        }
        if (keyInvalid.IsCompleted) await keyInvalid;
        await ending.CancelAsync();
        return response;
    }

    public override async Task WatchSubscription(
        V1.WatchSubscriptionRequest request, IServerStreamWriter<V1.WatchSubscriptionResponse> responseStream, ServerCallContext context)
    {
        var (endpointId, settings) = await FindAsync(request.Name, "name", new Violations(), context);
        var principal = Principal.Of(context);
        using var open = metrics.StreamOpened("subscription");
        using var writer = new ResponseWriter<V1.WatchSubscriptionResponse>(
            responseStream, time, options.Value.Streams.KeepAlive, JsonApi.IsTranscoded(context));
        var reader = new SubscriptionReader(relay, endpointId, settings);
        try
        {
            await using var group = new TaskGroup(context.CancellationToken);
            group.Start(c => principal.WatchAsync(keys, time, c));
            group.Start(c => writer.KeepAliveAsync(() => new V1.WatchSubscriptionResponse { KeepAlive = new V1.KeepAlive() }, c));
            group.Start(c => OpenReaders.EndWithEndpointAsync(relay, endpointId, c));
            group.Start(c => DeliverAsync(reader, endpointId, settings, writer, context, c));
            await group.WaitAsync(relay.Draining);
        }
        catch (RpcException) when (relay.Draining.IsCancellationRequested)
        {
            // The subscription has left this node before the stream has heard of the drain: the reader is told to go elsewhere.
        }
        finally
        {
            // What the reader has not acknowledged is somebody else's at once.
            await reader.ReleaseAsync();
        }
        await writer.WriteLastAsync(new V1.WatchSubscriptionResponse { Draining = new V1.Draining() }, context.CancellationToken);
    }

    private async Task DeliverAsync(SubscriptionReader reader, string endpointId, SubscriptionSettings settings,
        ResponseWriter<V1.WatchSubscriptionResponse> writer, ServerCallContext context, CancellationToken cancellation)
    {
        bool isTold = false;
        var opened = time.GetUtcNow();
        while (true)
        {
            // Settings may have changed, or the subscription may be gone.
            if (await relay.Endpoints.FindActiveAsync(endpointId, cancellation) is { } view)
                reader.Settings = view.Settings.Subscriptions.Find(settings.Name) ?? throw NotFound(endpointId, settings.Name);
            SubscriptionReply.Delivered delivered;
            try
            {
                // That there is nothing more is told at once.
                var wait = isTold ? RelayLimits.MaxSubscriptionWait : TimeSpan.Zero;
                delivered = await reader.TakeAsync(GatewayLimits.OutboxBatch, wait, cancellation);
            }
            catch (RpcException) when (!relay.Draining.IsCancellationRequested)
            {
                // If it was deleted, that is what the reader is told.
                await FindAsync(ResourceNames.Subscription(endpointId, settings.Name), "name", new Violations(), context);
                throw;
            }
            if (delivered.Events.Count > 0)
            {
                isTold = false;
                await writer.WriteAsync([.. delivered.Events.Select(e => new V1.WatchSubscriptionResponse
                {
                    Event = SubscriptionMapping.ToMessage(endpointId, settings.Name, e.Item, e.Delivery),
                })], cancellation);
                metrics.Delivered("subscription", delivered.Events, opened, time.GetUtcNow());
            }
            else if (!isTold && delivered.IsCaughtUp)
            {
                isTold = true;
                await writer.WriteAsync(new V1.WatchSubscriptionResponse
                {
                    CaughtUp = new V1.CaughtUp { Endpoint = ResourceNames.Endpoint(endpointId) },
                }, cancellation);
            }
        }
    }

    public override async Task Subscribe(
        IAsyncStreamReader<V1.SubscribeRequest> requestStream, IServerStreamWriter<V1.SubscribeResponse> responseStream,
        ServerCallContext context)
    {
        using var open = metrics.StreamOpened("subscription");
        using var writer = new ResponseWriter<V1.SubscribeResponse>(responseStream, time, options.Value.Streams.KeepAlive);
        var principal = Principal.Of(context);
        var stream = new SubscribeStream(relay, time, writer, metrics, (name, field) => FindAsync(name, field, new Violations(), context));
        await stream.RunAsync(requestStream, c => principal.WatchAsync(keys, time, c), context.CancellationToken);
    }

    public override async Task<V1.AckSubscriptionResponse> AckSubscription(V1.AckSubscriptionRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        var cursors = SubscriptionMapping.Cursors(request.Cursors, 1, violations);
        var (endpointId, settings) = await FindAsync(request.Name, "name", violations, context);
        var done = await AskAsync<SubscriptionReply.Done>(endpointId, settings, new SubscriptionRequest.Acknowledge(cursors), context);
        return new V1.AckSubscriptionResponse { Acknowledged = done.Count };
    }

    public override async Task<V1.NackSubscriptionResponse> NackSubscription(V1.NackSubscriptionRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        var reject = SubscriptionMapping.ToReject(request.Cursors, request.Delay, request.Terminate, request.Note, violations);
        var (endpointId, settings) = await FindAsync(request.Name, "name", violations, context);
        await AskAsync<SubscriptionReply.Done>(endpointId, settings, reject, context);
        return new V1.NackSubscriptionResponse();
    }

    public override async Task<V1.SeekSubscriptionResponse> SeekSubscription(V1.SeekSubscriptionRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.AddIf(request.Time is { } t && !RequestTimes.IsValid(t), "time", "is not a time");
        var (endpointId, settings) = await FindAsync(request.Name, "name", violations, context);
        await AskAsync<SubscriptionReply.Done>(endpointId, settings, new SubscriptionRequest.Seek(
            request.Time?.ToDateTimeOffset()), context);
        return new V1.SeekSubscriptionResponse();
    }

    public override async Task<V1.ListDeadLettersResponse> ListDeadLetters(V1.ListDeadLettersRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        var page = Paging.Parse(request.PageSize, request.PageToken, violations);
        ulong after = 0;
        violations.AddIf(page.AfterId is { } id && !ulong.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out after),
            "page_token", "was not issued by this server");
        var (endpointId, settings) = await FindAsync(request.Parent, "parent", violations, context);
        var listed = await AskAsync<SubscriptionReply.ListedDeadLetters>(
            endpointId, settings, new SubscriptionRequest.ListDeadLetters(after, page.Size), context);
        var response = new V1.ListDeadLettersResponse
        {
            NextPageToken = Paging.Token(listed.HasMore ? SubscriptionMapping.Cursor(listed.DeadLetters[^1].Item.Sequence) : null),
        };
        response.DeadLetters.AddRange(listed.DeadLetters.Select(d => new V1.DeadLetter
        {
            Event = SubscriptionMapping.ToMessage(endpointId, settings.Name, d.Item, d.Deliveries),
            Deliveries = d.Deliveries,
            SetAsideTime = d.Time.ToTimestamp(),
            Note = d.Note,
        }));
        return response;
    }

    public override async Task<V1.RetryDeadLettersResponse> RetryDeadLetters(V1.RetryDeadLettersRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        var cursors = SubscriptionMapping.Cursors(request.Cursors, 0, violations);
        var (endpointId, settings) = await FindAsync(request.Parent, "parent", violations, context);
        var done = await AskAsync<SubscriptionReply.Done>(endpointId, settings, new SubscriptionRequest.RetryDeadLetters(cursors), context);
        return new V1.RetryDeadLettersResponse { Retried = done.Count };
    }

    public override async Task<V1.DropDeadLettersResponse> DropDeadLetters(V1.DropDeadLettersRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        var cursors = SubscriptionMapping.Cursors(request.Cursors, 0, violations);
        var (endpointId, settings) = await FindAsync(request.Parent, "parent", violations, context);
        var done = await AskAsync<SubscriptionReply.Done>(endpointId, settings, new SubscriptionRequest.DropDeadLetters(cursors), context);
        return new V1.DropDeadLettersResponse { Dropped = done.Count };
    }

    /// <summary>The subscription that a request names, once its other fields are known to be valid.</summary>
    private async Task<(string EndpointId, SubscriptionSettings Settings)> FindAsync(
        string name, string field, Violations violations, ServerCallContext context)
    {
        violations.AddIf(!ResourceNames.TryParseSubscription(name, out var endpointId, out var id), field,
            "must be endpoints/{endpoint}/subscriptions/{subscription}");
        violations.ThrowIfAny();
        Principal.Of(context).RequireEndpoint(endpointId!);
        var view = await relay.Endpoints.FindActiveAsync(endpointId!, context.CancellationToken)
            ?? throw Replies.EndpointNotFound(endpointId!);
        return (endpointId!, view.Settings.Subscriptions.Find(id!) ?? throw NotFound(endpointId!, id!));
    }

    private async Task<T> AskAsync<T>(
        string endpointId, SubscriptionSettings settings, SubscriptionRequest request, ServerCallContext context)
        where T : SubscriptionReply
        => SubscriptionReader.Require<T>(await relay.Subscriptions.AskAsync(endpointId, settings, request, context.CancellationToken));

    /// <summary>Tells the caller a secret that the server has made, once.</summary>
    private static V1.Subscription WithMadeSecret(V1.Subscription message, SubscriptionSettings settings, V1.Webhook? asked)
    {
        if (settings.Webhook is { } webhook && asked?.Secret is null or "") message.Webhook.Secret = webhook.Secret;
        return message;
    }

    private static void Require(SubscriptionChange change, string endpointId, string name)
    {
        switch (change)
        {
            case SubscriptionChange.Done:
                return;
            case SubscriptionChange.NoEndpoint:
                throw Replies.EndpointNotFound(endpointId);
            case SubscriptionChange.WrongName:
                throw NotFound(endpointId, name);
            case SubscriptionChange.TooMany:
                throw ApiErrors.ResourceExhausted(Reasons.TooManySubscriptions,
                    $"An endpoint has at most {RelayLimits.MaxSubscriptions} subscriptions: delete one.", null);
            default:
                throw ApiErrors.Unavailable("The server cannot do this now; retry.", RelayLimits.UnavailableRetryAfter);
        }
    }

    private static RpcException NotFound(string endpointId, string name) =>
        ApiErrors.NotFound(Reasons.SubscriptionNotFound, "subscription", ResourceNames.Subscription(endpointId, name));
}
