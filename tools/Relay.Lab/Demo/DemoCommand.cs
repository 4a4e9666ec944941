using System.CommandLine;
using Relay.Cli;
using Relay.Client;

namespace Relay.Lab.Demo;

/// <summary><c>relay demo</c>: a whole conversation, in front of your eyes. Exit code 0 only if all of it happened.</summary>
internal static class DemoCommand
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(5);

    public static Command Create()
    {
        var contact = new Option<string>("--contact") { Description = "Whose OTR the contact outside speaks: relay (Otr.Core in a process of its own) or libotr (the system's).", DefaultValueFactory = _ => "relay" };
        contact.AcceptOnlyFromAmong("relay", "libotr");
        var stay = new Option<bool>("--stay") { Description = "Leave everything running afterwards, and say what to try next." };
        var command = new Command("demo", "A whole encrypted conversation through a server of its own, which is killed in the middle. Nothing to set up, nothing left behind.") { contact, stay };
        command.SetAction((parsed, cancellation) => RunAsync(parsed.GetRequiredValue(contact), parsed.GetValue(stay), parsed.GetValue(CommonOptions.Json), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(string contact, bool stay, bool json, CancellationToken cancellation)
    {
        IDemoAudience audience = json ? new JsonAudience() : PeopleAudience.Create();
        await using var stage = DemoStage.Create();
        var transcript = new DemoTranscript();
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
