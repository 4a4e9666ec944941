using System.Text.Json;
using System.Text.Json.Nodes;

namespace Relay.Lab.Bench.Server;

/// <summary>A figure of a row with both builds: medians of the rounds, and the rounds' ratios of this build's to the other's.</summary>
internal sealed record ComparedFigure(string What, string Field, Samples This, Samples Other)
{
    public Samples Ratio
    {
        get
        {
            var ratios = new Samples();
            foreach (var (mine, theirs) in This.Values.Zip(Other.Values)) ratios.Add(mine / theirs);
            return ratios;
        }
    }
}

/// <summary>
/// Measures rows with this build and another one in turn, each in processes of its own, so that whatever else the machine does
/// meets both. The build that begins changes with every round.
/// </summary>
internal sealed class ServerComparison(BenchProgram other, int rounds, Action<string, double> progress)
{
    // What was set, not measured; and what says nothing about a build.
    private static readonly HashSet<string> s_settings =
        ["messages", "conversations", "relays", "at_once", "endpoints", "kills", "streams", "load_average", "low_load_per_second"];

    public async Task<IReadOnlyList<ComparedFigure>> RunAsync(ServerBenchOptions options, CancellationToken cancellation)
    {
        var wanted = ServerBench.Names.Where(n => options.Only.Count == 0 || options.Only.Contains(n)).ToList();
        var figures = new List<ComparedFigure>();
        double done = 0;
        foreach (var what in wanted)
        {
            var (mine, theirs) = (new List<JsonObject>(), new List<JsonObject>());
            for (int round = 0; round < rounds; round++)
            {
                bool isThisFirst = round % 2 == 0;
                await RunAsync(isThisFirst);
                await RunAsync(!isThisFirst);

                async Task RunAsync(bool isThis)
                {
                    progress($"{what}, round {round + 1} of {rounds}: {(isThis ? "this build" : "the other")}", done);
                    (isThis ? mine : theirs).Add(await (isThis ? BenchProgram.This : other).RunAsync(what, options, cancellation));
                    done += 0.5 / (rounds * wanted.Count);
                }
            }
            figures.AddRange(Compare(what, mine, theirs));
        }
        return figures;
    }

    private static IEnumerable<ComparedFigure> Compare(string what, List<JsonObject> mine, List<JsonObject> theirs)
    {
        foreach (var (field, value) in mine[0])
        {
            bool isSet = s_settings.Contains(field) || (field == "seconds" && mine[0].ContainsKey("messages"));
            if (isSet || value?.GetValueKind() != JsonValueKind.Number) continue;
            if (!theirs.TrueForAll(t => t[field]?.GetValueKind() == JsonValueKind.Number && t[field]!.GetValue<double>() != 0)) continue;
            yield return new ComparedFigure(what, field, Values(mine), Values(theirs));

            Samples Values(List<JsonObject> rows)
            {
                var samples = new Samples();
                foreach (var row in rows) samples.Add(row[field]!.GetValue<double>());
                return samples;
            }
        }
    }
}
