using System.Diagnostics;

namespace Relay.Gateway.Telemetry;

/// <summary>
/// The spans of single messages of streams. A stream's own span lasts as long as the stream, which may be days, and is exported at its end:
/// each message therefore begins a trace of its own, with a link to the stream's.
/// </summary>
internal static class GatewaySpans
{
    /// <summary>The name of the activity source.</summary>
    public const string SourceName = "Relay.Gateway";

    private static readonly ActivitySource s_source = new(SourceName);

    /// <summary>
    /// Begins the trace of one message. To be called in an asynchronous method: what is current there is so for that method and what it
    /// calls, and not for its caller.
    /// </summary>
    /// <param name="operation">What is done with which stream's message: <c>process wire</c>.</param>
    public static Activity? OfMessage(string operation)
    {
        if (!s_source.HasListeners()) return null;
        var stream = Activity.Current;
        // Otherwise the message would be a child of the stream.
        Activity.Current = null;
        var span = s_source.StartActivity(operation, ActivityKind.Consumer, default(ActivityContext),
            links: stream is null ? null : [new ActivityLink(stream.Context)]);
        if (span is null) return null;
        span.SetTag("messaging.system", "relay");
        span.SetTag("messaging.operation.type", "process");
        return span;
    }

    /// <param name="outcome">accepted, rejected or failed.</param>
    public static void End(Activity? span, string outcome)
    {
        if (span is null) return;
        span.SetTag("relay.outcome", outcome);
        if (outcome == "failed") span.SetStatus(ActivityStatusCode.Error);
    }
}
