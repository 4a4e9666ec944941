using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Relay.Client;
using Relay.Gateway.Tests.Harness;

namespace Relay.Sdk.Tests;

/// <summary>
/// A reader of the scripted server's subscription, in one of the languages: by handlers, or by the small loop. It does with each text what it
/// says: <c>fail</c>, <c>again</c>, <c>drop</c>; any other is handled. Programs in Python and for Node.js are beside this file.
/// </summary>
internal abstract class ReaderBot : IAsyncDisposable
{
    /// <summary>Each event that was begun, with its delivery.</summary>
    public abstract IReadOnlyList<string> Said { get; }

    /// <summary>Asks it to stop, and waits until it has.</summary>
    public abstract Task StopAsync();

    public abstract ValueTask DisposeAsync();

    public static async Task<ReaderBot> StartAsync(string language, string mode, ScriptedServer server, int credit, TimeSpan silenceLimit)
    {
        var directory = new TempDirectory();
        var key = directory.File("bot.key");
        await File.WriteAllTextAsync(key, "relay_id_secret");
        if (language == "csharp") return new InProcess(mode, server.Address, key, credit, silenceLimit, directory);
        var program = Repository.File("tests", "Relay.Sdk.Tests", "programs", language == "python" ? "reader.py" : "reader.mjs");
        return new Foreign(await BotProcess.StartProgramAsync(language, program, server.Address, key, null,
            mode, $"{credit}", FormattableString.Invariant($"{silenceLimit.TotalSeconds}")), directory);
    }

    private sealed class Foreign(BotProcess process, TempDirectory directory) : ReaderBot
    {
        public override IReadOnlyList<string> Said => process.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

        public override async Task StopAsync() => Assert.True(await process.StopAsync() == 0, process.Output);

        public override ValueTask DisposeAsync()
        {
            process.Dispose();
            directory.Dispose();
            return ValueTask.CompletedTask;
        }
    }

    private sealed class InProcess : ReaderBot
    {
        private readonly ConcurrentQueue<string> _said = [];
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _running;
        private readonly TempDirectory _directory;

        public InProcess(string mode, string server, string keyFile, int credit, TimeSpan silenceLimit, TempDirectory directory)
        {
            _directory = directory;
            var options = new RelayClientOptions { SilenceLimit = silenceLimit, MaxBackoff = TimeSpan.FromMilliseconds(300) };
            _running = mode == "loop" ? LoopAsync(server, keyFile, credit, options) : RunAsync(server, keyFile, credit, options);
        }

        public override IReadOnlyList<string> Said => [.. _said];

        public override async Task StopAsync()
        {
            await _stop.CancelAsync();
            await _running.WaitAsync(Patience.Limit);
        }

        public override async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _directory.Dispose();
        }

        private async Task RunAsync(string server, string keyFile, int credit, RelayClientOptions options)
        {
            var builder = Host.CreateEmptyApplicationBuilder(null);
            builder.Services.AddSingleton(_said);
            builder.Services.AddRelayBot("e", o => (o.Servers, o.KeyFile, o.MaxConcurrency, o.Client) = (server, keyFile, credit, options)).AddHandler<Reader>();
            using var host = builder.Build();
            await host.StartAsync();
            await Task.Delay(Timeout.Infinite, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            // A handler that hangs is not waited for longer than a test may take.
            await host.StopAsync(Patience.Token);
        }

        private async Task LoopAsync(string server, string keyFile, int credit, RelayClientOptions options)
        {
            await using var relay = RelayClient.Connect(new Uri(server), RelayKey.FromFile(keyFile), options);
            try
            {
                await foreach (var e in relay.Bot().Subscription(ScriptedServer.Subscription, credit, _stop.Token))
                {
                    _said.Enqueue($"{e.Text}:{e.Delivery}");
                    if (e.Text is "fail" or "again") await e.NackAsync(TimeSpan.FromSeconds(e.Text == "fail" ? 10 : 1.5), "", _stop.Token);
                    else if (e.Text == "drop") await e.SetAsideAsync("no", _stop.Token);
                    else _said.Enqueue($"{await e.AckAsync(_stop.Token)}");
                }
            }
            catch (OperationCanceledException)
            {
                // It was stopped.
            }
        }

        private sealed class Reader(ConcurrentQueue<string> said) : BotHandler
        {
            protected override Task OnTextAsync(TextEvent e, CancellationToken cancellation)
            {
                said.Enqueue($"{e.Text}:{e.Delivery}");
                return e.Text switch
                {
                    "fail" => throw new FormatException(),
                    "again" => e.NackAsync(TimeSpan.FromSeconds(1.5), cancellation: cancellation),
                    "drop" => e.SetAsideAsync("no", cancellation),
                    _ => Task.CompletedTask,
                };
            }
        }
    }
}
