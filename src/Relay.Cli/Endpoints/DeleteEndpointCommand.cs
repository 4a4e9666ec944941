using System.CommandLine;
using System.Globalization;
using Relay.Client;
using Relay.V1;

namespace Relay.Cli.Endpoints;

/// <summary>The commands <c>relay endpoints delete</c> and <c>relay endpoints undelete</c>.</summary>
internal static class DeleteEndpointCommand
{
    public static Command Create()
    {
        var endpoint = new Argument<string>("endpoint") { Description = "Id or name of the endpoint." };
        var purge = new Option<bool>("--purge")
        {
            Description = "Destroy its keys, conversations and messages within seconds instead of 30 days. This cannot be undone.",
        };
        var yes = new Option<bool>("--yes", "-y") { Description = "With --purge: do not ask." };
        var command = new Command("delete", "Delete an endpoint. It can be undeleted for 30 days, unless it is purged.")
        {
            endpoint, purge, yes,
        }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            var request = new DeleteEndpointRequest
            {
                Name = EndpointNames.Endpoint(parsed.GetRequiredValue(endpoint)), Purge = parsed.GetValue(purge),
            };
            if (request.Purge && !parsed.GetValue(yes)) Confirm(request.Name, "A purge", "destroys the keys and conversations of {0} for good");
            await using var client = Connection.Open(parsed);
            EndpointsCommand.Show(parsed, await client.CallAsync(o => client.Endpoints.DeleteEndpointAsync(request, o), cancellation));
            return ExitCode.Ok;
        });
        return command;
    }

    public static Command CreateUndelete()
    {
        var endpoint = new Argument<string>("endpoint") { Description = "Id or name of the endpoint." };
        var command = new Command("undelete", "Take a deleted endpoint back into use, with its keys and conversations.")
        {
            endpoint,
        }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            var request = new UndeleteEndpointRequest { Name = EndpointNames.Endpoint(parsed.GetRequiredValue(endpoint)) };
            await using var client = Connection.Open(parsed);
            EndpointsCommand.Show(parsed, await client.CallAsync(o => client.Endpoints.UndeleteEndpointAsync(request, o), cancellation));
            return ExitCode.Ok;
        });
        return command;
    }

    /// <exception cref="CommandFailure">Nobody can be asked, or the answer is not the endpoint's id.</exception>
    public static void Confirm(string name, string what, string effect)
    {
        var id = EndpointNames.Id(name);
        if (Console.IsInputRedirected)
            throw new CommandFailure(ExitCode.Usage, $"{what} cannot be undone, and nobody can be asked here.", "Add --yes to go ahead.");
        Console.Error.Write($"This {string.Format(CultureInfo.InvariantCulture, effect, id)}. Type its id to go ahead: ");
        if (Console.ReadLine()?.Trim() != id) throw new CommandFailure(ExitCode.Usage, "Nothing was changed: the id was not typed.");
    }
}
