using System.CommandLine;
using Relay.Client;
using Relay.V1;

namespace Relay.Cli.Endpoints;

/// <summary><c>relay endpoints</c>: list, show, create.</summary>
internal static class EndpointsCommand
{
    public static Command Create() => new("endpoints", "The addresses that Relay speaks OTR for.") { CreateList(), CreateShow(), CreateCreate() };

    private static Command CreateList()
    {
        var command = new Command("list", "List the endpoints.").WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var client = Connection.Open(parsed);
            var all = await Pages.AllAsync<Endpoint>(async token =>
            {
                var page = await client.CallAsync(o => client.Endpoints.ListEndpointsAsync(new ListEndpointsRequest { PageToken = token }, o), cancellation);
                return (page.Endpoints, page.NextPageToken);
            });
            if (parsed.GetValue(CommonOptions.Json)) Report.Json(Report.ToArray(all));
            else Report.Table(["ENDPOINT", "NETWORK", "ACCOUNT", "FINGERPRINT"], all.Select(e => new[] { EndpointNames.Id(e.Name), e.Network, e.Account, EndpointNames.Fingerprint(e.Fingerprint) }),
                "There are no endpoints yet. 'relay endpoints create --network … --account …' makes one.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command CreateShow()
    {
        var name = new Argument<string>("endpoint") { Description = "Its id or name." };
        var command = new Command("show", "Show one endpoint.") { name }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var client = Connection.Open(parsed);
            var request = new GetEndpointRequest { Name = EndpointNames.Endpoint(parsed.GetRequiredValue(name)) };
            Show(parsed, await client.CallAsync(o => client.Endpoints.GetEndpointAsync(request, o), cancellation));
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command CreateCreate()
    {
        var network = new Option<string>("--network") { Description = "The chat network, as its bridge calls it: xmpp, irc, …", HelpName = "NAME", Required = true };
        var account = new Option<string>("--account") { Description = "The endpoint's address on that network.", HelpName = "ADDRESS", Required = true };
        var id = new Option<string?>("--id") { Description = "1 to 63 of [a-z0-9-], beginning with a letter. Default: the server chooses.", HelpName = "ID" };
        var maxWire = new Option<uint>("--max-wire-bytes") { Description = "The longest message that the network takes; longer ones leave in fragments. 0: no limit.", HelpName = "N" };
        var allowV2 = new Option<bool>("--allow-v2") { Description = "Speak OTR version 2 too, for old clients." };
        var allowClear = new Option<bool>("--allow-clear") { Description = "Let text leave in the clear when no private session stands." };
        var libotr = new Option<string?>("--libotr-key") { Description = "Take the identity key from a libotr key file (otr.private_key) that holds one account.", HelpName = "FILE" };
        var command = new Command("create", "Make an endpoint and its identity key.") { network, account, id, maxWire, allowV2, allowClear, libotr }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            var request = new CreateEndpointRequest
            {
                RequestId = Guid.NewGuid().ToString("N"),
                EndpointId = parsed.GetValue(id) ?? "",
                Network = parsed.GetRequiredValue(network),
                Account = parsed.GetRequiredValue(account),
                MaxWireBytes = parsed.GetValue(maxWire),
                Policy = new Policy { AllowV2 = parsed.GetValue(allowV2), RequireEncryption = !parsed.GetValue(allowClear) },
            };
            if (parsed.GetValue(libotr) is { } file) request.LibotrPrivateKey = Google.Protobuf.ByteString.CopyFrom(await File.ReadAllBytesAsync(file, cancellation));
            await using var client = Connection.Open(parsed, TimeSpan.FromSeconds(30));
            Show(parsed, await client.CallAsync(o => client.Endpoints.CreateEndpointAsync(request, o), cancellation));
            return ExitCode.Ok;
        });
        return command;
    }

    private static void Show(ParseResult parsed, Endpoint e)
    {
        if (parsed.GetValue(CommonOptions.Json))
        {
            Report.Json(Report.ToNode(e));
            return;
        }
        Report.Fields(
        [
            ("name", e.Name), ("network", e.Network), ("account", e.Account),
            ("fingerprint", EndpointNames.Fingerprint(e.Fingerprint)), ("instance tag", e.InstanceTag.ToString("x8")),
            ("policy", Policy(e.Policy)), ("longest wire", e.MaxWireBytes == 0 ? "no limit" : $"{e.MaxWireBytes} bytes"),
            ("made", e.CreateTime.ToDateTime().ToString("u")),
        ]);
    }

    private static string Policy(Policy p) => string.Join(", ", new[]
    {
        p.AllowV3 ? "version 3" : null, p.AllowV2 ? "version 2" : null,
        p.RequireEncryption ? "encryption required" : "clear text allowed",
        p.SendWhitespaceTag ? "sends whitespace tag" : null, p.StartOnWhitespaceTag ? "starts on whitespace tag" : null, p.StartOnError ? "starts on error" : null,
    }.Where(s => s is not null));
}
