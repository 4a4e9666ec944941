using System.Diagnostics.Metrics;

namespace Relay.Client;

/// <summary>The instruments of one hosted bot on the meter "Relay.Client". No label has a peer's address.</summary>
internal sealed class BotMetrics : IDisposable
{
    private readonly Meter _meter = new("Relay.Client");
    private readonly Histogram<double> _handled;
    private readonly KeyValuePair<string, object?> _bot;

    public BotMetrics(string endpoint, Func<int> inProgress)
    {
        _bot = new KeyValuePair<string, object?>("endpoint", endpoint);
        _handled = _meter.CreateHistogram<double>("relay.bot.handled", "s", "Time to handle an event, by result: DONE, FAILED, UNSETTLED.");
        _meter.CreateObservableGauge("relay.bot.in_progress", () => new Measurement<int>(inProgress(), _bot), "{event}",
            "Events that are being handled.");
    }

    /// <summary>Records an event that was handled.</summary>
    public void Handled(TimeSpan time, string result) =>
        _handled.Record(time.TotalSeconds, _bot, new KeyValuePair<string, object?>("result", result));

    public void Dispose() => _meter.Dispose();
}
