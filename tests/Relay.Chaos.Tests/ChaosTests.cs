using System.Globalization;
using Relay.Chaos.Tests.Faults;

namespace Relay.Chaos.Tests;

/// <summary>
/// Real processes break under the load of hundreds of conversations. After each fault every message that anybody sent has
/// been delivered exactly once and in order, both ways; no session was established anew; no AES counter was used twice.
/// </summary>
/// <remarks>
/// RELAY_CHAOS_MINUTES=n (or RELAY_LONG=1: ten) goes on with faults in random order for that long and writes a report to
/// artifacts/chaos-report.md, or where RELAY_CHAOS_REPORT says. RELAY_SEED repeats an order.
/// </remarks>
public sealed class ChaosTests(ChaosCluster cluster, ITestOutputHelper output) : IClassFixture<ChaosCluster>
{
    public static TheoryData<string> Names => [.. Fault.All.Select(f => f.Name)];

    [Theory, MemberData(nameof(Names))]
    public async Task Every_conversation_goes_on_after(string fault)
    {
        Assert.SkipWhen(cluster.WhyNot is not null, cluster.WhyNot ?? "");
        var chosen = Fault.All.Single(f => f.Name == fault);
        Assert.SkipWhen(chosen.WhyNot(cluster) is not null, chosen.WhyNot(cluster) ?? "");
        output.WriteLine($"RELAY_SEED={cluster.Seed}");
        output.WriteLine((await Strike.RunAsync(cluster, [chosen], new Random(cluster.Seed))).ToString());
    }

    [Fact]
    public async Task Every_conversation_goes_on_after_faults_in_random_order_and_two_at_once()
    {
        Assert.SkipWhen(cluster.WhyNot is not null, cluster.WhyNot ?? "");
        output.WriteLine($"RELAY_SEED={cluster.Seed}");
        var random = new Random(cluster.Seed);
        var report = new ChaosReport(cluster);
        var possible = Fault.All.Where(f => f.WhyNot(cluster) is null).ToArray();
        var end = TimeProvider.System.GetUtcNow() + Length;
        bool isLong = Length > TimeSpan.Zero;
        try
        {
            do
            {
                var first = possible[random.Next(possible.Length)];
                var others = possible.Where(f => f.Strikes != first.Strikes).ToArray();
                // The short form has had each of them alone.
                Fault[] faults = isLong && random.Next(3) > 0 ? [first] : [first, others[random.Next(others.Length)]];
                var strike = await Strike.RunAsync(cluster, faults, random);
                output.WriteLine(strike.ToString());
                report.Add(strike);
            }
            while (TimeProvider.System.GetUtcNow() < end);
            report.IsSound = true;
        }
        finally
        {
            if (isLong) output.WriteLine($"The report is in {await report.WriteAsync()}");
        }
    }

    private static TimeSpan Length =>
        double.TryParse(Environment.GetEnvironmentVariable("RELAY_CHAOS_MINUTES"), CultureInfo.InvariantCulture, out double minutes) ? TimeSpan.FromMinutes(minutes)
        : Environment.GetEnvironmentVariable("RELAY_LONG") == "1" ? TimeSpan.FromMinutes(10)
        : TimeSpan.Zero;
}
