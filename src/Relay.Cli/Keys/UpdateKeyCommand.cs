using System.CommandLine;
using Google.Protobuf.WellKnownTypes;
using Relay.V1;

namespace Relay.Cli.Keys;

/// <summary>The command <c>relay keys update</c>.</summary>
internal static class UpdateKeyCommand
{
    public static Command Create()
    {
        var key = new Argument<string>("key") { Description = "Id or name of the key." };
        var name = new Option<string?>("--name", "-n") { Description = "Name of the key in lists.", HelpName = "NAME" };
        var expires = new Option<string?>("--expires")
        {
            Description = "When the key expires: 90d, 'in 12 hours', tomorrow, or a date.", HelpName = "WHEN",
        };
        var noExpiry = new Option<bool>("--no-expiry") { Description = "The key does not expire." };
        var serverLimits = new Option<bool>("--server-limits") { Description = "Take its own limits away: it has the server's." };
        var limits = new CallerLimitSwitches("Default: as before.");
        var command = new Command("update", "Change the name, the expiry or the limits of a key. Its secret stays.")
        {
            key, name, expires, noExpiry, serverLimits,
        }.WithServer();
        limits.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var changed = new ApiKey { Name = EndpointNames.ApiKey(parsed.GetRequiredValue(key)) };
            var mask = new FieldMask();
            if (parsed.GetValue(name) is { } shown)
            {
                changed.DisplayName = shown;
                mask.Paths.Add("display_name");
            }
            if (parsed.GetValue(noExpiry) && parsed.GetValue(expires) is not null)
                throw new CommandFailure(ExitCode.Usage, "--expires and --no-expiry exclude each other.");
            if (parsed.GetValue(expires) is { } when) changed.ExpireTime = Times.ParseFuture(when, "--expires", DateTimeOffset.UtcNow).ToTimestamp();
            if (changed.ExpireTime is not null || parsed.GetValue(noExpiry)) mask.Paths.Add("expire_time");
            changed.Limits = limits.Read(parsed, mask.Paths);
            if (parsed.GetValue(serverLimits))
            {
                if (changed.Limits is not null)
                    throw new CommandFailure(ExitCode.Usage, "--server-limits and a limit exclude each other.");
                mask.Paths.Add("limits");
            }
            if (mask.Paths.Count == 0)
                throw new CommandFailure(ExitCode.Usage, "Nothing is to be changed.", "For example: relay keys update KEY --streams 10");
            await using var client = Connection.Open(parsed);
            var request = new UpdateApiKeyRequest { ApiKey = changed, UpdateMask = mask };
            var updated = await client.CallAsync(o => client.Admin.UpdateApiKeyAsync(request, o), cancellation);
            if (parsed.GetValue(CommonOptions.Json)) Report.Json(Report.ToNode(updated));
            else Console.Out.WriteLine($"{updated.Name} is changed.");
            return ExitCode.Ok;
        });
        return command;
    }
}
