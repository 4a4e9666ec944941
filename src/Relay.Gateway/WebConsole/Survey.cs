using Grpc.Core;
using Relay.Gateway.Api;
using Relay.Gateway.Hosting;

namespace Relay.Gateway.WebConsole;

/// <summary>A stream of an endpoint with something in it, or set aside from it.</summary>
/// <param name="Name">events, wire, or the id of a subscription.</param>
/// <param name="Oldest">Age of what waits for longest; zero if it is not known.</param>
/// <param name="Readers">Null: not known, as of the endpoint's own streams.</param>
/// <param name="LastRead">Last acknowledgement of a subscription; of wire text, since when a bridge is connected. Null: not known, or none is.</param>
internal sealed record StreamFinding(
    string EndpointId, string Name, ulong Waiting, TimeSpan Oldest, int? Readers, int DeadLetters, DateTimeOffset? LastRead)
{
    /// <summary>Something waits, and nobody has read for some time.</summary>
    public bool IsUnread { get; init; }

    public bool IsLate => Waiting > 0 && (IsUnread || Oldest > GatewayLimits.ConsoleLateAge);

    /// <summary>The stream of wire text, and the endpoint's own stream of events if it has one.</summary>
    public static IEnumerable<StreamFinding> Of(string endpointId, V1.Endpoint endpoint, V1.EndpointStatus status)
    {
        yield return Of(endpointId, "wire", status.Wire, status.BridgeConnectTime?.ToDateTimeOffset());
        if (!endpoint.DisableEventStream) yield return Of(endpointId, "events", status.Events, null);
    }

    private static StreamFinding Of(string endpointId, string name, V1.StreamStatus status, DateTimeOffset? connected)
    {
        var oldest = status.OldestAge?.ToTimeSpan() ?? TimeSpan.Zero;
        return new StreamFinding(endpointId, name, status.Backlog, oldest, null, 0, connected)
        {
            IsUnread = status.Backlog > 0 && connected is null && oldest > GatewayLimits.ConsoleLateAge,
        };
    }

    public static StreamFinding Of(string endpointId, V1.Subscription s, DateTimeOffset now)
    {
        var last = s.LastAckTime?.ToDateTimeOffset();
        return new StreamFinding(endpointId, s.Name[(s.Name.LastIndexOf('/') + 1)..], s.Pending, s.OldestAge?.ToTimeSpan() ?? TimeSpan.Zero,
            s.Webhook is null ? s.Readers : null, s.DeadLetters, last)
        {
            // A bot that pulls is not there between two pulls.
            IsUnread = s is { Pending: > 0, Webhook: null, Readers: 0 } && !(now - last < GatewayLimits.ConsoleLateAge),
        };
    }
}

/// <summary>What was found when all endpoints that a caller may see were looked through.</summary>
internal sealed record SurveyFindings
{
    public DateTimeOffset Ended { get; init; }
    public int Endpoints { get; init; }
    public long Conversations { get; init; }
    public long Encrypted { get; init; }
    /// <summary>Conversations whose peer has a key that somebody must decide about; the first of them are in <see cref="HeldKeys"/>.</summary>
    public long Held { get; init; }
    public long Quarantined { get; init; }
    /// <summary>Streams in which something waits for too long, or from which something was set aside.</summary>
    public int StreamsToLookAt { get; init; }
    public int Streams { get; init; }
    public ulong Waiting { get; init; }
    public int DeadLetters { get; init; }
    public IReadOnlyList<V1.Conversation> HeldKeys { get; init; } = [];
    public IReadOnlyList<V1.Conversation> QuarantinedConversations { get; init; } = [];
    /// <summary>Those with something in them, what waits for longest first.</summary>
    public IReadOnlyList<StreamFinding> Worst { get; init; } = [];
    /// <summary>False for a caller who may not see conversations.</summary>
    public bool SeesConversations { get; init; }

    /// <summary>Without a conversation, about whose key it was decided, or that was deleted.</summary>
    public SurveyFindings Without(string conversation) => this with
    {
        Held = Held - HeldKeys.Count(c => c.Name == conversation), HeldKeys = [.. HeldKeys.Where(c => c.Name != conversation)],
    };

    /// <summary>Without the dead letters of a subscription.</summary>
    public SurveyFindings WithoutDeadLetters(string endpointId, string subscription) => this with
    {
        Worst = [.. Worst.Select(s => (s.EndpointId, s.Name) == (endpointId, subscription) ? s with { DeadLetters = 0 } : s)],
    };
}

/// <summary>
/// Looks through all endpoints for what needs somebody: no index tells which key is held or which row does not open, because that is inside
/// sealed rows. It reads in the background, while somebody is signed in and looks at the console, by the API and with that caller's
/// permissions, and rests for most of the time. Pages show the last complete findings, and when they were made.
/// </summary>
internal sealed class Survey(ConsoleSession session, ApiCalls api, TimeProvider time)
{
    private readonly Lock _lock = new();
    private Task _running = Task.CompletedTask;
    private bool _hasWaited;

    /// <summary>The last complete findings; null: there are none yet.</summary>
    public SurveyFindings? Found { get; private set; }

    /// <summary>
    /// Begins to look again if what was found is old. The first time it waits a moment for a result: small servers are looked through at once.
    /// </summary>
    public async Task<SurveyFindings?> LookAsync(CancellationToken cancellation)
    {
        Task running;
        bool waits;
        lock (_lock)
        {
            waits = !_hasWaited;
            _hasWaited = true;
            if (_running.IsCompleted && (Found is null || time.GetUtcNow() - Found.Ended > GatewayLimits.ConsoleSurveyAge))
                _running = Task.Run(RunAsync, CancellationToken.None);
            running = _running;
        }
        if (waits) await Task.WhenAny(running, Task.Delay(GatewayLimits.ConsoleSurveyWait, time, cancellation));
        return Found;
    }

    /// <summary>Takes a decision that was just carried out into what was found, until it is looked at again.</summary>
    public void Apply(Func<SurveyFindings, SurveyFindings> change)
    {
        lock (_lock)
        {
            if (Found is { } found) Found = change(found) with { Ended = DateTimeOffset.MinValue };
        }
    }

    private async Task RunAsync()
    {
        try
        {
            Found = await new SurveyRun(session, api, time).FindAsync(session.Ended);
        }
        catch (Exception e) when (e is RpcException or OperationCanceledException)
        {
            // The server drains or its store fails, which pages tell by themselves; or the session has ended.
        }
    }
}
