using System.CommandLine;
using Relay.Cli;
using Relay.Client;
using Relay.Engines;
using Relay.Lab.Demo;
using Relay.Lab.Processes;

namespace Relay.Lab.ClusterDemo;

/// <summary>
/// <c>relay cluster-demo</c>: three relays that are killed, hang and are restarted, and conversations that go on. Exit code 0 only if all
/// of it happened.
/// </summary>
internal static class ClusterDemoCommand
{
    private const int MaxConversations = 200;
    /// <summary>It takes about a minute and a half; a machine may be busy with other things.</summary>
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(10);

    public static Command Create()
    {
        var conversations = new Option<int>("--conversations")
        {
            Description = $"Conversations at once, 1 to {MaxConversations}.", HelpName = "N", DefaultValueFactory = _ => 36,
        };
        var install = new Option<bool>("--install") { Description = "As root on Debian: install PostgreSQL first if it is missing." };
        var command = new Command("cluster-demo", "Three relays on this machine, over a PostgreSQL of their own: one is killed, "
            + "one hangs, two are killed at once, then all are restarted, and dozens of conversations go on. Nothing is left behind.")
        {
            conversations, install,
        };
        command.SetAction((parsed, cancellation) => RunAsync(parsed.GetValue(conversations), parsed.GetValue(install), parsed.GetValue(CommonOptions.Json), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(int conversations, bool install, bool json, CancellationToken cancellation)
    {
        if (conversations is < 1 or > MaxConversations) throw new CommandFailure(ExitCode.Usage, $"--conversations must be 1 to {MaxConversations}.");
        await EnginePackages.EnsureAsync(install, cancellation);
        IClusterDemoAudience audience = json ? new JsonClusterAudience() : PeopleClusterAudience.Create();
        await using var script = new ClusterDemoScript(audience, conversations);
        string? failure = null;
        using (var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation))
        {
            limit.CancelAfter(s_limit);
            try
            {
                await script.RunAsync(limit.Token);
            }
            catch (Exception e) when (e is CommandFailure or RelayException or EngineException or IOException)
            {
                failure = e is CommandFailure { Hint: { } hint } ? $"{e.Message} {hint}" : e.Message;
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                failure = $"It took longer than {s_limit.TotalMinutes:F0} minutes.";
            }
        }
        var checks = failure is null ? ClusterDemoChecks.Run(script.Facts) : [];
        bool ok = failure is null && checks.All(c => c.IsTrue);
        var logs = ok ? null : script.Logs;
        await script.CloseAsync(keepLogs: !ok);
        audience.Verdict(script.Facts, checks, failure, logs);
        return ok ? ExitCode.Ok : ExitCode.Failed;
    }
}
