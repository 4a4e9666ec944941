using System.Globalization;
using Relay.Chaos.Tests.Faults;

namespace Relay.Chaos.Tests;

/// <summary>
/// Real processes break under the load of hundreds of conversations. After each fault every message that anybody sent has
/// been delivered exactly once and in order, both ways; no session was established again; no AES counter was used twice; and the
/// relays that were downed, and only they, have ended themselves and been started again.
/// </summary>
/// <remarks>
/// RELAY_LONG=1 goes on to 100 strikes in random order, or RELAY_CHAOS_MINUTES=n for that long, and writes a report to
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
        var possible = Fault.All.Where(f => f.WhyNot(cluster) is null).ToArray();
        if (ChaosLength.Asked() is not { } length)
        {
            // The short form has had each of them alone.
            output.WriteLine((await Strike.RunAsync(cluster, Two(random, possible), random)).ToString());
            return;
        }
        var report = new ChaosReport(cluster, length.Command);
        try
        {
            for (int strikes = 0; !length.IsOver(strikes); strikes++)
            {
                Fault[] faults = random.Next(3) > 0 ? [possible[random.Next(possible.Length)]] : Two(random, possible);
                var strike = await Strike.RunAsync(cluster, faults, random);
                output.WriteLine(strike.ToString());
                report.Add(strike);
                // As far as it has come: a long run may be stopped.
                await report.WriteAsync();
            }
        }
        catch
        {
            report.IsSound = false;
            throw;
        }
        finally
        {
            output.WriteLine($"The report is in {await report.WriteAsync()}");
        }
    }

    private static Fault[] Two(Random random, Fault[] possible)
    {
        var first = possible[random.Next(possible.Length)];
        var others = possible.Where(f => f.Strikes != first.Strikes).ToArray();
        return [first, others[random.Next(others.Length)]];
    }

    /// <param name="Command">What asked for it, as in a shell.</param>
    private sealed record ChaosLength(string Command, int Strikes, DateTimeOffset End)
    {
        private const int LongStrikes = 100;

        /// <summary>Null for the short form.</summary>
        public static ChaosLength? Asked()
        {
            var asked = Environment.GetEnvironmentVariable("RELAY_CHAOS_MINUTES");
            if (double.TryParse(asked, CultureInfo.InvariantCulture, out double minutes))
            {
                var command = string.Create(CultureInfo.InvariantCulture, $"RELAY_CHAOS_MINUTES={minutes}");
                return new(command, int.MaxValue, TimeProvider.System.GetUtcNow() + TimeSpan.FromMinutes(minutes));
            }
            bool isLong = Environment.GetEnvironmentVariable("RELAY_LONG") == "1";
            return isLong ? new("RELAY_LONG=1", LongStrikes, DateTimeOffset.MaxValue) : null;
        }

        public bool IsOver(int strikes) => strikes >= Strikes || TimeProvider.System.GetUtcNow() >= End;
    }
}
