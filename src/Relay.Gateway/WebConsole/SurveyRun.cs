using System.Runtime.CompilerServices;
using Grpc.Core;
using Relay.Gateway.Api;
using Relay.Gateway.Hosting;

namespace Relay.Gateway.WebConsole;

/// <summary>One look through all endpoints that a session may see.</summary>
internal sealed class SurveyRun(ConsoleSession session, ApiCalls api, TimeProvider time)
{
    private readonly bool _seesConversations = ApiCalls.May(session.Caller, "ConversationService/ListConversations");
    private readonly bool _seesSubscriptions = ApiCalls.May(session.Caller, "SubscriptionService/GetSubscription");
    private readonly List<StreamFinding> _worst = [];
    private readonly List<V1.Conversation> _heldKeys = [], _quarantinedConversations = [];
    private int _endpoints, _streams, _toLookAt, _deadLetters;
    private long _conversations, _encrypted, _held, _quarantined;
    private ulong _waiting;
    private TimeSpan _toRest;

    /// <exception cref="RpcException">The server drains, or its store fails.</exception>
    public async Task<SurveyFindings> FindAsync(CancellationToken cancellation)
    {
        var request = new V1.ListEndpointsRequest { PageSize = GatewayLimits.DefaultPageSize };
        do
        {
            var page = await ReadAsync(api.Endpoints.ListEndpoints, request, cancellation);
            foreach (var endpoint in page.Endpoints) await ReadEndpointAsync(endpoint, cancellation);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        KeepWorst();
        return new SurveyFindings
        {
            Ended = time.GetUtcNow(), Endpoints = _endpoints, Conversations = _conversations, Encrypted = _encrypted, Held = _held,
            Quarantined = _quarantined, Streams = _streams, StreamsToLookAt = _toLookAt, Waiting = _waiting, DeadLetters = _deadLetters,
            HeldKeys = _heldKeys, QuarantinedConversations = _quarantinedConversations, Worst = _worst,
            SeesConversations = _seesConversations,
        };
    }

    private async Task ReadEndpointAsync(V1.Endpoint endpoint, CancellationToken cancellation)
    {
        try
        {
            await ReadStreamsAsync(endpoint, cancellation);
            if (_seesConversations) await ReadConversationsAsync(endpoint, cancellation);
            _endpoints++;
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.NotFound)
        {
            // It was deleted meanwhile.
        }
        if (_worst.Count >= 2 * GatewayLimits.MaxConsoleFindings) KeepWorst();
    }

    private async Task ReadStreamsAsync(V1.Endpoint endpoint, CancellationToken cancellation)
    {
        if (!ResourceNames.TryParseEndpoint(endpoint.Name, out var id)) return;
        // Who may not see conversations may know how many need somebody.
        var status = await ReadAsync(api.Endpoints.GetEndpointStatus, new V1.GetEndpointStatusRequest
        {
            Name = ResourceNames.EndpointStatus(id), CountConversations = !_seesConversations,
        }, cancellation);
        foreach (var stream in StreamFinding.Of(id, endpoint, status)) Add(stream);
        if (status.Conversations is { } counts)
        {
            _conversations += counts.Counted;
            _encrypted += counts.Encrypted;
            _held += counts.KeysHeld;
            _quarantined += counts.Quarantined;
        }
        if (!_seesSubscriptions) return;
        var listed = await ReadAsync(api.Subscriptions.ListSubscriptions,
            new V1.ListSubscriptionsRequest { Parent = endpoint.Name }, cancellation);
        foreach (var name in listed.Subscriptions.Select(s => s.Name))
        {
            var subscription = await ReadAsync(
                api.Subscriptions.GetSubscription, new V1.GetSubscriptionRequest { Name = name }, cancellation);
            Add(StreamFinding.Of(id, subscription, time.GetUtcNow()));
        }
    }

    private async Task ReadConversationsAsync(V1.Endpoint endpoint, CancellationToken cancellation)
    {
        var request = new V1.ListConversationsRequest { Parent = endpoint.Name, PageSize = GatewayLimits.MaxPageSize };
        do
        {
            var page = await ReadAsync(api.Conversations.ListConversations, request, cancellation);
            foreach (var conversation in page.Conversations)
            {
                _conversations++;
                if (conversation.State == V1.MessageState.Encrypted) _encrypted++;
                if (conversation.KeyHeld && ++_held <= GatewayLimits.MaxConsoleFindings) _heldKeys.Add(conversation);
                if (conversation.Quarantined && ++_quarantined <= GatewayLimits.MaxConsoleFindings) _quarantinedConversations.Add(conversation);
            }
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
    }

    private void Add(StreamFinding stream)
    {
        _streams++;
        _waiting += stream.Waiting;
        _deadLetters += stream.DeadLetters;
        if (stream.IsLate || stream.DeadLetters > 0) _toLookAt++;
        if (stream.Waiting > 0 || stream.DeadLetters > 0) _worst.Add(stream);
    }

    /// <summary>Sorts the streams, and keeps the first.</summary>
    private void KeepWorst()
    {
        var sorted = _worst.OrderByDescending(s => s.IsLate).ThenByDescending(s => s.Oldest).ThenByDescending(s => s.DeadLetters)
            .ThenByDescending(s => s.Waiting).Take(GatewayLimits.MaxConsoleFindings).ToList();
        _worst.Clear();
        _worst.AddRange(sorted);
    }

    /// <summary>Makes one call, and rests for some times as long as it took.</summary>
    private async Task<TResponse> ReadAsync<TRequest, TResponse>(
        UnaryServerMethod<TRequest, TResponse> method, TRequest request, CancellationToken cancellation)
        where TRequest : class where TResponse : class
    {
        long start = time.GetTimestamp();
        var response = await api.CallAsync(session.Caller, method, request, cancellation);
        _toRest += time.GetElapsedTime(start) * GatewayLimits.ConsoleSurveyPauseFactor;
        // Rests are gathered, because a timer is not exact to a millisecond.
        if (_toRest > GatewayLimits.ConsoleSurveyRest)
        {
            await Task.Delay(_toRest, time, cancellation);
            _toRest = TimeSpan.Zero;
        }
        return response;
    }
}
