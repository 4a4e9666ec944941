using System.CommandLine;
using Relay.Cli;
using Relay.Client;

namespace Relay.Lab.Demo;

/// <summary><c>relay demo</c>: runs a whole conversation and shows it. The exit code is 0 only if every check succeeds.</summary>
internal static class DemoCommand
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(5);

    public static Command Create()
    {
        var contact = new Option<string>("--contact")
        {
            Description = "OTR implementation of the external contact: relay (Otr.Core in a separate process) or libotr (as installed).",
            DefaultValueFactory = _ => "relay",
        };
        contact.AcceptOnlyFromAmong("relay", "libotr");
        var stay = new Option<bool>("--stay") { Description = "Keep everything running afterwards, and show what to try next." };
        var command = new Command("demo", "Run a whole encrypted conversation through a temporary server, which is killed in the middle. "
            + "Needs no setup, and cleans up afterwards.")
        {
            contact, stay,
        };
        command.SetAction((parsed, cancellation) =>
            RunAsync(parsed.GetRequiredValue(contact), parsed.GetValue(stay), parsed.GetValue(CommonOptions.Json), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(string contact, bool stay, bool json, CancellationToken cancellation)
    {
        IDemoAudience audience = json ? new JsonAudience() : PeopleAudience.Create();
        await using var stage = DemoStage.Create();
        var transcript = new DemoTranscript(TimeProvider.System);
        var script = new DemoScript(stage, transcript, audience, contact);
        string? failure = null;
        using (var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation))
        {
            limit.CancelAfter(s_limit);
            try
            {
                await script.RunAsync(limit.Token);
            }
            catch (Exception e) when (e is CommandFailure or RelayException or IOException)
            {
                failure = e.Message;
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                failure = $"It took longer than {s_limit.TotalMinutes:F0} minutes.";
            }
        }
        var checks = failure is null ? DemoChecks.Run(transcript.Entries, script.Facts) : [];
        audience.Verdict(checks, transcript.Entries, failure);
        if (failure is not null || checks.Any(c => !c.IsTrue)) return ExitCode.Failed;
        if (stay)
        {
            await DemoDesk.OpenAsync(stage, script.Admin, contact, cancellation);
            audience.Stay(stage);
            await Task.Delay(Timeout.Infinite, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        return ExitCode.Ok;
    }
}
