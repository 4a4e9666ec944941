using System.CommandLine;
using System.Text.Json.Nodes;
using Otr.Core;
using Relay.Cli.Endpoints;
using Relay.Client;
using Relay.V1;

namespace Relay.Cli.Identities;

/// <summary>The command <c>relay identities import</c>: libotr's fingerprints of contacts for an endpoint that exists.</summary>
internal static class ImportIdentitiesCommand
{
    public static Command Create()
    {
        var endpoint = new Argument<string>("endpoint") { Description = "Id or name of the endpoint." };
        var file = new Argument<string>("file") { Description = "otr.fingerprints of libotr." };
        var account = new Option<string?>("--account")
        {
            Description = "The account in the file whose contacts are taken. Default: the only one, or the endpoint's.",
            HelpName = "NAME",
        };
        var command = new Command("import", "Tell an endpoint the fingerprints of contacts, with their trust, that another program knows.")
        {
            endpoint, file, account,
        }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            var path = parsed.GetRequiredValue(file);
            var entries = ContactKeys.Read(path);
            await using var client = Connection.Open(parsed, TimeSpan.FromSeconds(30));
            var request = new GetEndpointRequest { Name = EndpointNames.Endpoint(parsed.GetRequiredValue(endpoint)) };
            var found = await client.CallAsync(o => client.Endpoints.GetEndpointAsync(request, o), cancellation);
            var chosen = Choose(path, entries, parsed.GetValue(account), found);
            var leftOut = new List<string>();
            var told = await ContactKeys.TellAsync(client, found.Name, ContactKeys.Peers(chosen, found.Network, leftOut), cancellation);
            leftOut.AddRange(ContactKeys.Problems(told));
            if (chosen.Count < entries.Count) leftOut.Add($"{entries.Count - chosen.Count} fingerprints of other accounts");
            if (parsed.GetValue(CommonOptions.Json))
            {
                var node = Report.ToNode(told);
                node["leftOut"] = new JsonArray([.. leftOut.Select(l => (JsonNode)l)]);
                Report.Json(node);
                return ExitCode.Ok;
            }
            Console.Out.WriteLine($"{EndpointNames.Id(found.Name)} knows {told.Keys} keys of {told.Peers} contacts from the file.");
            foreach (var line in leftOut) Console.Out.WriteLine("Left out: " + Report.Safe(line) + ".");
            return ExitCode.Ok;
        });
        return command;
    }

    private static List<LibotrFingerprint> Choose(
        string path, IReadOnlyList<LibotrFingerprint> entries, string? account, Endpoint endpoint)
    {
        var accounts = entries.GroupBy(e => (e.AccountName, e.Protocol)).ToList();
        if (accounts.Count == 0) throw new CommandFailure(ExitCode.Usage, $"{path} holds no fingerprint.");
        var matching = account is not null ? accounts.Where(a => a.Key.AccountName == account).ToList()
            : accounts.Count == 1 ? accounts
            : [.. accounts.Where(a => ContactKeys.NetworkOf(a.Key.Protocol) == endpoint.Network
                && ContactKeys.AccountOf(endpoint.Network, a.Key.AccountName) == endpoint.Account)];
        if (matching is [var only]) return [.. only];
        throw new CommandFailure(ExitCode.Usage, $"{path} holds the contacts of {accounts.Count} accounts:", "Choose one with --account NAME.")
        {
            More = [.. accounts.Select(a => $"{a.Key.AccountName}   {a.Key.Protocol}   {a.Count()} fingerprints")],
        };
    }
}
