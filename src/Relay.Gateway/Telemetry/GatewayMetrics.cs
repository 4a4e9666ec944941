using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text.Json;
using Grpc.Core;
using Otr.Core;
using Relay.Actors;
using Relay.Storage.Telemetry;

namespace Relay.Gateway.Telemetry;

/// <summary>The gateway's instruments. They are listed in docs/metrics.yaml with the values of their labels, which are closed sets.</summary>
internal sealed class GatewayMetrics : IDisposable
{
    public const string MeterName = "Relay.Gateway";

    private readonly Meter _meter = new(MeterName);
    private readonly UpDownCounter<long> _streams;
    private readonly Counter<long> _received, _sends, _deliveries, _denials, _callerFaults;
    private readonly Histogram<double> _calls, _delivery;

    public GatewayMetrics()
    {
        _calls = _meter.CreateHistogram("rpc.server.call.duration", "s",
            "Time of calls, of gRPC and of HTTP/JSON.", advice: HistogramBounds.Fast);
        _streams = _meter.CreateUpDownCounter<long>("relay.stream.active", "{stream}", "Open streams of readers.");
        _received = _meter.CreateCounter<long>("relay.wire.received", "{message}", "Wire texts from bridges, by what became of them.");
        _sends = _meter.CreateCounter<long>("relay.message.sends", "{message}", "Texts that bots sent, by what became of them.");
        _deliveries = _meter.CreateCounter<long>("relay.stream.deliveries", "{item}", "Items written to readers.");
        _delivery = _meter.CreateHistogram("relay.delivery.duration", "s",
            "Time from an item's commit until it is written to a reader's stream.", advice: HistogramBounds.Fast);
        _denials = _meter.CreateCounter<long>("relay.auth.denials", "{call}",
            "Calls that were denied because of the key, its scope or its endpoints.");
        _callerFaults = _meter.CreateCounter<long>("relay.caller.faults", "{call}",
            "Calls that the caller reset, or on which it sent a malformed message.");
    }

    /// <summary>Adds the gauge of readiness.</summary>
    public void ObserveHealth(Func<bool> isReady) => _meter.CreateObservableGauge("relay.health.status",
        () => new Measurement<int>(isReady() ? 1 : 0, new KeyValuePair<string, object?>("check", "ready")), "{status}",
        "1 if the check passes, 0 if it does not.");

    /// <summary>Adds the gauge of the server's certificate.</summary>
    /// <param name="notAfter">Unix time in seconds; null: there is none.</param>
    public void ObserveCertificate(Func<double?> notAfter) => _meter.CreateObservableGauge("relay.certificate.not_after",
        () => notAfter() is { } time
            ? [new Measurement<double>(time, new KeyValuePair<string, object?>("use", "server"))] : Array.Empty<Measurement<double>>(),
        "s", "Unix time after which the certificate is not valid.");

    /// <summary>Makes every series of the counters begin at zero, once the exporters listen.</summary>
    public void Begin()
    {
        foreach (var stream in (string[])["events", "wire", "subscription"])
        {
            _streams.Add(0, Stream(stream));
            _deliveries.Add(0, Stream(stream));
        }
        foreach (var outcome in (string[])["accepted", "rejected", "failed"]) _received.Add(0, Outcome(outcome));
        foreach (var outcome in (string[])["encrypted", "held", "clear", "refused", "failed"]) _sends.Add(0, Outcome(outcome));
        foreach (var reason in (string[])["missing", "invalid", "scope", "endpoint"]) _denials.Add(0, Reason(reason));
        foreach (var kind in (string[])["RESET", "MALFORMED"]) CallerFaults(kind, 0);
    }

    /// <summary>Counts a stream as open until the result is disposed of.</summary>
    /// <param name="stream">events, wire or subscription.</param>
    public IDisposable StreamOpened(string stream)
    {
        _streams.Add(1, Stream(stream));
        return new Open(() => _streams.Add(-1, Stream(stream)));
    }

    /// <param name="rejectReason">Empty: it was accepted.</param>
    /// <param name="isOurs">The relay could not take it, and the bridge is to push it again.</param>
    public void Received(string rejectReason, bool isOurs) =>
        _received.Add(1, Outcome(OutcomeOf(rejectReason, isOurs)));

    /// <inheritdoc cref="Received"/>
    public static string OutcomeOf(string rejectReason, bool isOurs) =>
        rejectReason.Length == 0 ? "accepted" : isOurs ? "failed" : "rejected";

    /// <summary>Counts what becomes of a bot's text.</summary>
    public async Task<ConversationReply.Done> CountSendAsync(Task<ConversationReply.Done> send)
    {
        try
        {
            var done = await send;
            _sends.Add(1, Outcome(done.Disposition switch
            {
                SendDisposition.Encrypted => "encrypted",
                SendDisposition.Held => "held",
                _ => "clear",
            }));
            return done;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            var isOurs = e is not RpcException { StatusCode: not (StatusCode.Unavailable or StatusCode.Internal or StatusCode.ResourceExhausted) };
            _sends.Add(1, Outcome(isOurs ? "failed" : "refused"));
            throw;
        }
    }

    /// <summary>Counts what was written to a reader, and how long after its commit.</summary>
    /// <param name="opened">When the reader came: what was stored before was not waited for.</param>
    public void Delivered(string stream, IReadOnlyList<OutboxItem> items, DateTimeOffset opened, DateTimeOffset now)
    {
        _deliveries.Add(items.Count, Stream(stream));
        var direction = new KeyValuePair<string, object?>("direction", stream == "wire" ? "outbound" : "inbound");
        foreach (var item in items)
        {
            _delivery.Record(Math.Max((now - item.Time).TotalSeconds, 0), direction,
                item.Time >= opened ? s_attended : s_unattended);
        }
    }

    /// <inheritdoc cref="Delivered(string, IReadOnlyList{OutboxItem}, DateTimeOffset, DateTimeOffset)"/>
    public void Delivered(
        string stream, IReadOnlyList<Actors.Subscriptions.DeliveredEvent> events, DateTimeOffset opened, DateTimeOffset now) =>
        Delivered(stream, events.Where(e => e.Delivery == 1).Select(e => e.Item).ToList(), opened, now);

    /// <param name="method">As gRPC names it, with a slash before it.</param>
    /// <param name="kind">unary, wait or stream.</param>
    public void Called(string method, string kind, StatusCode status, TimeSpan time) => _calls.Record(time.TotalSeconds,
    [
        new("rpc.system.name", "grpc"), new("rpc.method", MetricNames.OfMethod(method)), new("relay.call.kind", kind),
        new("rpc.status_code", MetricNames.Of(status)),
    ]);

    /// <param name="reason">missing, invalid, scope or endpoint.</param>
    public void Denied(string reason) => _denials.Add(1, Reason(reason));

    /// <param name="kind">RESET or MALFORMED.</param>
    public void CallerFault(string kind) => CallerFaults(kind, 1);

    public void Dispose() => _meter.Dispose();

    private static readonly KeyValuePair<string, object?> s_attended = new("attended", "true"), s_unattended = new("attended", "false");

    private void CallerFaults(string kind, int count) =>
        _callerFaults.Add(count, new KeyValuePair<string, object?>("kind", kind == "RESET" ? "reset" : "malformed"));

    private static KeyValuePair<string, object?> Stream(string stream) => new("relay.stream", stream);

    private static KeyValuePair<string, object?> Outcome(string outcome) => new("outcome", outcome);

    private static KeyValuePair<string, object?> Reason(string reason) => new("reason", reason);

    private sealed class Open(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}

/// <summary>Names of gRPC's statuses and methods as labels: <c>DEADLINE_EXCEEDED</c>.</summary>
internal static class MetricNames
{
    private static readonly Dictionary<StatusCode, string> s_statuses =
        Enum.GetValues<StatusCode>().ToDictionary(s => s, s => JsonNamingPolicy.SnakeCaseUpper.ConvertName(s.ToString()));

    // There are as many as the API has methods: only those reach an interceptor.
    private static readonly ConcurrentDictionary<string, string> s_methods = new(StringComparer.Ordinal);

    public static string Of(StatusCode status) => s_statuses[status];

    /// <summary>A method as OpenTelemetry names it, without the slash before it.</summary>
    public static string OfMethod(string method) => s_methods.GetOrAdd(method, static m => m[1..]);
}
