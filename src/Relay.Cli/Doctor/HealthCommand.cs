using System.CommandLine;
using System.Text.Json.Nodes;
using Relay.Client;

namespace Relay.Cli.Doctor;

/// <summary>The command <c>relay health</c>: one call of <c>grpc.health.v1</c>, for supervisors and load balancers. Needs no key.</summary>
internal static class HealthCommand
{
    public static Command Create()
    {
        var command = new Command("health",
            "Ask the server, or each of several, whether it is ready: exit code 0 if one is, 1 while it starts "
            + "or drains, 3 if none answers. Needs no key.")
        {
            CommonOptions.Server, CommonOptions.TrustedCertificate,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            bool isServing = false, hasAnswered = false;
            RelayException? failure = null;
            var servers = Connection.Servers(parsed);
            for (int i = 0; i < servers.Count && !isServing; i++)
            {
                await using var client = Connection.Open(parsed, [servers[i]], key: null, TimeSpan.FromSeconds(1));
                try
                {
                    isServing = await client.IsServingAsync(cancellation);
                    hasAnswered = true;
                }
                catch (RelayException e)
                {
                    failure ??= e;
                }
            }
            if (!hasAnswered) throw failure!;
            if (parsed.GetValue(CommonOptions.Json)) Report.Json(new JsonObject { ["serving"] = isServing });
            else Console.Out.WriteLine(isServing ? "serving" : "not serving");
            return isServing ? ExitCode.Ok : ExitCode.Failed;
        });
        return command;
    }
}
