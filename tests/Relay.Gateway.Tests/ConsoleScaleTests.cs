using System.Diagnostics;
using System.Globalization;
using Relay.Gateway.Tests.Harness;
using Relay.Lab.Bench.Server;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>
/// Pages over a large store: what is shown is aggregates and pages of lists, so that their time does not grow with the conversations.
/// <c>RELAY_CONSOLE_CONVERSATIONS</c> says over how many; 2,000 otherwise.
/// </summary>
public sealed class ConsoleScaleTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Pages_of_a_large_store()
    {
        int count = int.Parse(Environment.GetEnvironmentVariable("RELAY_CONSOLE_CONVERSATIONS") ?? "2000", CultureInfo.InvariantCulture);
        using var directory = new TempDirectory();
        var settings = new Dictionary<string, string> { ["--console-listen"] = "127.0.0.1:0" };
        await using (var first = await TestServer.StartAsync(settings: settings, dataDirectory: directory.File("data")))
        {
            await first.CreateEndpointAsync("load");
            using var contact = new Contact("seed@load.example");
            await using var network = new Network(await first.ConnectAsync(Scope.Bridge), "endpoints/load", contact);
            contact.Start();
            Assert.Equal(Otr.Core.SessionCause.KeyExchange, await contact.Changes.NextAsync());
        }
        using (var store = new IdleStore(directory.File("data")))
            await store.FillAsync("load", "seed@load.example", count, _ => { }, CancellationToken.None);

        await using var server = await TestServer.StartAsync(settings: settings, dataDirectory: directory.File("data"));
        using var visitor = new ConsoleVisitor(server.Host.ConsoleAddress!);
        Assert.Equal(System.Net.HttpStatusCode.SeeOther, (await visitor.SignInAsync(server.AdminToken)).Status);
        var begun = Stopwatch.GetTimestamp();
        var page = await visitor.ReadAsync("/");
        output.WriteLine($"first overview: {Stopwatch.GetElapsedTime(begun).TotalMilliseconds:0} ms");
        await MeasureAsync(visitor, "while the endpoints are looked through");
        var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60 + count / 500)).Token;
        var all = (count + 1).ToString("N0", CultureInfo.InvariantCulture) + " conversations";
        while (!page.Contains(all, StringComparison.Ordinal))
        {
            await Task.Delay(200, limit);
            page = await visitor.ReadAsync("/");
        }
        output.WriteLine($"{all} looked through in {Stopwatch.GetElapsedTime(begun).TotalSeconds:0.0} s");
        await MeasureAsync(visitor, "afterwards");
    }

    private async Task MeasureAsync(ConsoleVisitor visitor, string when)
    {
        foreach (var path in (string[])["/", "/endpoints", "/endpoints/load", "/conversations?endpoint=load", "/trust", "/streams", "/nodes", "/keys", "/audit"])
        {
            var times = new List<double>();
            for (int i = 0; i < 20; i++)
            {
                var start = Stopwatch.GetTimestamp();
                await visitor.ReadAsync(path);
                times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }
            times.Sort();
            output.WriteLine($"{path} {when}: median {times[10]:0.0} ms, slowest {times[^1]:0.0} ms");
            // Generous: a busy machine runs this beside other tests.
            if (path != "/") Assert.InRange(times[10], 0, 1000);
        }
    }
}
