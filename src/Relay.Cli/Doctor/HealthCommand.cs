using System.CommandLine;
using System.Text.Json.Nodes;

namespace Relay.Cli.Doctor;

/// <summary><c>relay health</c>: one question of <c>grpc.health.v1</c>, for whatever restarts or routes by it. Needs no key.</summary>
internal static class HealthCommand
{
    public static Command Create()
    {
        var command = new Command("health", "Ask the server whether it serves: exit code 0 if so, 1 while it starts or drains, 3 if it does not answer. Needs no key.")
        {
            CommonOptions.Server, CommonOptions.TrustedCertificate,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var client = Connection.Open(parsed, key: null, TimeSpan.FromSeconds(1));
            bool isServing = await client.IsServingAsync(cancellation);
            if (parsed.GetValue(CommonOptions.Json)) Report.Json(new JsonObject { ["serving"] = isServing });
            else Console.Out.WriteLine(isServing ? "serving" : "not serving");
            return isServing ? ExitCode.Ok : ExitCode.Failed;
        });
        return command;
    }
}
