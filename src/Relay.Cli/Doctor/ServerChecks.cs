using System.CommandLine;
using Grpc.Core;
using Relay.Client;
using Relay.V1;

namespace Relay.Cli.Doctor;

/// <summary>
/// Checks that each server is ready, that it accepts the key, and that its clock agrees with this machine's; asks the first one that an
/// admin key opens what it knows of nodes, keys and conversations.
/// </summary>
internal static class ServerChecks
{
    private static readonly TimeSpan s_clockLimit = TimeSpan.FromSeconds(30);

    public static async Task<IReadOnlyList<Finding>> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var found = new List<Finding>();
        var serving = new List<Uri>();
        foreach (var server in Connection.Servers(parsed))
        {
            await using var anonymous = Connection.Open(parsed, [server], key: null, TimeSpan.FromSeconds(1));
            found.Add(await HealthAsync(anonymous, server, cancellation));
            if (found[^1].Verdict == Verdict.Ok) serving.Add(server);
            if (server.Scheme == Uri.UriSchemeHttps)
                found.Add(await CertificateCheck.RunAsync(server, DateTimeOffset.UtcNow, cancellation));
        }
        if (serving.Count == 0) return found;

        RelayKey? key;
        try
        {
            key = Connection.TryKey(parsed);
        }
        catch (CommandFailure e)
        {
            found.Add(new("key", Verdict.Problem, e.Message, "Name another key file with --key-file."));
            return found;
        }
        if (key is null)
        {
            found.Add(new("key", Verdict.Skipped, "No API key was found.", "Name its file with --key-file or RELAY_KEY_FILE."));
            return found;
        }
        bool isAsked = false;
        foreach (var server in serving)
        {
            await using var client = Connection.Open(parsed, [server], key, TimeSpan.FromSeconds(1));
            var (isAdmin, findings) = await KeyAsync(client, cancellation);
            found.AddRange(findings);
            // Any node answers for all.
            if (isAdmin && !isAsked) found.AddRange(await ServerStateChecks.RunAsync(client, key, DateTimeOffset.UtcNow, cancellation));
            isAsked |= isAdmin;
        }
        if (!isAsked)
            found.Add(new("server's state", Verdict.Skipped, "Only an admin key is told about nodes, keys and conversations.",
                "Name the file of one with --key-file."));
        return found;
    }

    private static async Task<Finding> HealthAsync(RelayClient client, Uri server, CancellationToken cancellation)
    {
        try
        {
            return await client.IsServingAsync(cancellation)
                ? new("server", Verdict.Ok, $"{server.GetLeftPart(UriPartial.Authority)} is ready")
                : new("server", Verdict.Problem, $"{server.GetLeftPart(UriPartial.Authority)} answers, but is not ready.",
                    "It is starting or draining: wait, or read its log.");
        }
        catch (RelayException e)
        {
            return new("server", Verdict.Problem, $"{server.GetLeftPart(UriPartial.Authority)} does not answer ({e.Code}).",
                "Start it with 'relay serve', or name another with --server. With TLS, the address starts with https:// and --ca names the "
                + "authority.");
        }
    }

    private static async Task<(bool IsAdmin, IReadOnlyList<Finding> Found)> KeyAsync(RelayClient client, CancellationToken cancellation)
    {
        try
        {
            var info = await client.CallAsync(o => client.Admin.GetServerAsync(new GetServerRequest(), o), cancellation);
            var ahead = info.Time.ToDateTimeOffset() - DateTimeOffset.UtcNow;
            return (true,
            [
                new("key", Verdict.Ok, "an admin key, accepted"),
                new("version", Verdict.Ok, $"{info.Version}, up since {Times.SayBoth(info.StartTime)}, kernel {info.Kernel}"),
                ahead.Duration() > s_clockLimit
                    ? new("clock", Verdict.Warning, $"The server's clock is {ahead.TotalSeconds:F0} s ahead of this one's.",
                        "Synchronise both clocks (NTP): keys expire by the server's clock.")
                    : new("clock", Verdict.Ok, "agrees with the server's"),
            ]);
        }
        catch (RelayException e) when (e.Code == StatusCode.PermissionDenied)
        {
            return (false, [new("key", Verdict.Ok, "accepted, with another scope than admin")]);
        }
        catch (RelayException e)
        {
            return (false, [new("key", Verdict.Problem, e.Message, "With an admin key, 'relay keys list' shows which keys are valid.")]);
        }
    }
}
