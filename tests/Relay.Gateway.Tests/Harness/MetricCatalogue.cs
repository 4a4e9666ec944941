using System.Globalization;
using System.Text;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace Relay.Gateway.Tests.Harness;

/// <summary>One metric of docs/metrics.yaml.</summary>
public sealed class CataloguedMetric
{
    public string Name { get; set; } = "";
    public string Kind { get; set; } = "";
    public string Unit { get; set; } = "";
    public string Where { get; set; } = "";
    public string Of { get; set; } = "";
    public string Meaning { get; set; } = "";
    public Dictionary<string, List<string>> Labels { get; set; } = [];

    /// <summary>Its name in Prometheus, without the endings of a histogram's series.</summary>
    public string PrometheusName => Name.Replace('.', '_') + (Unit switch { "s" => "_seconds", "By" => "_bytes", _ => "" }) + (Kind == "counter" ? "_total" : "");
}

/// <summary>A group of metrics in docs/metrics.yaml.</summary>
public sealed class MetricGroup
{
    public string Group { get; set; } = "";
    public List<CataloguedMetric> Metrics { get; set; } = [];
}

/// <summary>docs/metrics.yaml, and the page that is made from it.</summary>
public static class MetricCatalogue
{
    public static IReadOnlyList<MetricGroup> Read(string yaml) =>
        new DeserializerBuilder().WithNamingConvention(CamelCaseNamingConvention.Instance).Build().Deserialize<List<MetricGroup>>(yaml);

    public static string ToMarkdown(IReadOnlyList<MetricGroup> groups)
    {
        var page = new StringBuilder("""
            # Metrics

            Made from [metrics.yaml](metrics.yaml), which a test compares with what a server emits. Names are OpenTelemetry's; in Prometheus
            dots become underscores, seconds get `_seconds`, and counters `_total`. Counters begin at zero when the server starts. No label
            holds an address, an endpoint, a conversation, a key, a fingerprint or text.

            ∀: of the whole cluster. One node emits it, the one that keeps the deadlines, so that queries take the maximum over all nodes. It
            looks at the store every five seconds, or less often if that takes more than 2 % of the time; ages grow in between.

            Export: OTLP by OpenTelemetry's own variables (`OTEL_EXPORTER_OTLP_ENDPOINT` and its like), and Prometheus at `/metrics` of the
            probes' port with `OTEL_METRICS_EXPORTER=prometheus` and `--health-listen`. Beside these there are `http.server.*` and
            `kestrel.*` of ASP.NET Core, `dotnet.*` of the runtime, and with PostgreSQL `db.client.*` of Npgsql.

            """.ReplaceLineEndings("\n"));
        foreach (var group in groups)
        {
            page.Append(CultureInfo.InvariantCulture, $"\n## {group.Group}\n\n| metric | kind, unit | labels | meaning |\n| --- | --- | --- | --- |\n");
            foreach (var metric in group.Metrics)
            {
                var labels = string.Join("; ", metric.Labels.Select(l => $"`{l.Key}`{(l.Value.Count == 0 ? "" : ": " + string.Join(", ", l.Value))}"));
                var where = metric.Where.Length > 0 ? $" Only with {metric.Where}." : metric.Of.Length > 0 ? " ∀" : "";
                page.Append(CultureInfo.InvariantCulture, $"| `{metric.Name}` | {metric.Kind}, {metric.Unit} | {labels} | {metric.Meaning}{where} |\n");
            }
        }
        return page.ToString();
    }
}

/// <summary>One series of Prometheus' text format.</summary>
public sealed record PrometheusSeries(string Name, IReadOnlyDictionary<string, string> Labels, double Value)
{
    /// <summary>Reads a page of metrics whose label values have no escapes.</summary>
    public static IReadOnlyList<PrometheusSeries> Parse(string page) =>
        [.. page.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(l => l[0] != '#').Select(ParseLine)];

    private static PrometheusSeries ParseLine(string line)
    {
        int brace = line.IndexOf('{', StringComparison.Ordinal), end = line.LastIndexOf('}');
        var name = brace < 0 ? line[..line.IndexOf(' ', StringComparison.Ordinal)] : line[..brace];
        var labels = new Dictionary<string, string>();
        if (brace >= 0)
        {
            foreach (var pair in line[(brace + 1)..end].Split("\",", StringSplitOptions.RemoveEmptyEntries))
            {
                var at = pair.IndexOf('=', StringComparison.Ordinal);
                labels[pair[..at]] = pair[(at + 1)..].Trim('"');
            }
        }
        var value = line[(brace < 0 ? name.Length : end + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0];
        return new PrometheusSeries(name, labels, double.Parse(value.Replace("+Inf", "Infinity", StringComparison.Ordinal), CultureInfo.InvariantCulture));
    }
}
