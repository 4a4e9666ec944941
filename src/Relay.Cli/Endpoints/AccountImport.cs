using System.Buffers;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Otr.Core;
using Relay.Client;
using Relay.Gateway.Hosting;
using Relay.V1;

namespace Relay.Cli.Endpoints;

/// <summary>Creates endpoints with the keys of accounts of another program, and tells them what these know of their contacts' keys.</summary>
/// <param name="contacts">Of all accounts of the file of fingerprints; empty if there is none.</param>
/// <param name="network">Null: by the account's protocol.</param>
/// <param name="address">Null: by the account's name.</param>
/// <param name="id">Null: chosen by the server.</param>
internal sealed class AccountImport(IReadOnlyList<LibotrFingerprint> contacts, string? network, string? address, string? id)
{
    private sealed record Imported(LibotrAccountKey Account, Endpoint Endpoint, ImportIdentitiesResponse Told, int Trusted, bool IsNew);

    /// <summary>The accounts to take: the only one, the named one, or all.</summary>
    /// <exception cref="CommandFailure">There is none, or it must be said which one is meant; the failure lists them.</exception>
    public static IReadOnlyList<LibotrAccountKey> Choose(string path, OtrKeyFileContent content, string? account, bool all)
    {
        if (content.Keys.Count == 0)
            throw IdentityKeyFile.NoKey(path, content, account, "");
        if (all || (account is null && content.Keys.Count == 1 && content.Problems.Count == 0)) return content.Keys;
        var named = account is null ? [] : content.Keys.Where(k => k.AccountName == account).ToList();
        if (named.Count == 1) return named;
        throw IdentityKeyFile.NoKey(path, content, account, "Choose one with --account NAME, or take all with --all.");
    }

    public async Task<int> RunAsync(
        RelayClient client, IReadOnlyList<LibotrAccountKey> accounts, IReadOnlyList<OtrKeyFileProblem> damaged, bool json,
        CancellationToken cancellation)
    {
        var imported = new List<Imported>();
        var failed = damaged.Select(p => $"{(p.AccountName.Length > 0 ? p.AccountName : "an account without a name")}: {p.Reason}").ToList();
        var leftOut = new List<string>();
        foreach (var account in accounts)
        {
            try
            {
                imported.Add(await ImportAsync(client, account, leftOut, cancellation));
            }
            catch (Exception e) when (accounts.Count > 1
                && e is CommandFailure or RelayException { Code: not (Grpc.Core.StatusCode.Unavailable or Grpc.Core.StatusCode.PermissionDenied) })
            {
                failed.Add($"{account.AccountName}: {e.Message}");
            }
        }
        leftOut.AddRange(OthersContacts(accounts));
        Print(imported, failed, leftOut, json);
        return failed.Count > 0 ? ExitCode.Failed : ExitCode.Ok;
    }

    private async Task<Imported> ImportAsync(
        RelayClient client, LibotrAccountKey account, List<string> leftOut, CancellationToken cancellation)
    {
        var onNetwork = network ?? ContactKeys.NetworkOf(account.Protocol);
        var at = address ?? ContactKeys.AccountOf(onNetwork, account.AccountName);
        if (onNetwork.Length == 0 || at.Length == 0)
        {
            throw new CommandFailure(ExitCode.Usage, "The file names no account: its network and address are not known.",
                "Say them with --network and --address.");
        }
        var (endpoint, isNew) = await CreateAsync(client, account, onNetwork, at, cancellation);
        var peers = ContactKeys.Peers(contacts.Where(e => IsOf(e, account)), onNetwork, leftOut);
        var told = await ContactKeys.TellAsync(client, endpoint.Name, peers, cancellation);
        leftOut.AddRange(ContactKeys.Problems(told));
        return new Imported(account, endpoint, told, peers.Sum(p => p.Identities.Count(i => i.TrustSource.Length > 0)), isNew);
    }

    /// <summary>Creates the endpoint, unless an earlier import of the same key did.</summary>
    private async Task<(Endpoint Endpoint, bool IsNew)> CreateAsync(
        RelayClient client, LibotrAccountKey account, string onNetwork, string at, CancellationToken cancellation)
    {
        // Large enough not to grow, which would leave copies of the key behind.
        var file = new ArrayBufferWriter<byte>(GatewayLimits.MaxKeyFileBytes);
        LibotrPrivateKeyFile.Write([account with { AccountName = at, Protocol = "otr" }], file);
        var request = new CreateEndpointRequest
        {
            RequestId = Guid.NewGuid().ToString("N"), EndpointId = id ?? "", Network = onNetwork, Account = at,
            Policy = new Policy { AllowV2 = false, RequireEncryption = true }, LibotrPrivateKey = ByteString.CopyFrom(file.WrittenSpan),
        };
        file.Clear();
        try
        {
            return (await client.CallAsync(o => client.Endpoints.CreateEndpointAsync(request, o), cancellation), true);
        }
        catch (RelayException e) when (e.Code == Grpc.Core.StatusCode.AlreadyExists)
        {
            // A filter cannot name what has a quotation mark in it, which no network's address has.
            var query = new ListEndpointsRequest { Filter = $"network = \"{onNetwork}\" AND account = \"{at}\"" };
            var found = (await client.CallAsync(o => client.Endpoints.ListEndpointsAsync(query, o), cancellation)).Endpoints;
            if (found is [var only] && only.Fingerprint == account.Key.PublicKey.Fingerprint.ToHex()
                && (id is null || id == EndpointNames.Id(only.Name))) return (only, false);
            throw;
        }
    }

    /// <summary>Fingerprints in the file that belong to none of the accounts taken, so that nothing is lost unnoticed.</summary>
    private IEnumerable<string> OthersContacts(IReadOnlyList<LibotrAccountKey> accounts) =>
        contacts.Where(e => !accounts.Any(a => IsOf(e, a))).GroupBy(e => (e.AccountName, e.Protocol))
            .Select(g => $"{g.Count()} fingerprints of the account {g.Key.AccountName} ({g.Key.Protocol})");

    private static bool IsOf(LibotrFingerprint entry, LibotrAccountKey account) =>
        entry.AccountName == account.AccountName && entry.Protocol == account.Protocol;

    private static void Print(
        IReadOnlyList<Imported> imported, IReadOnlyList<string> failed, IReadOnlyList<string> leftOut, bool json)
    {
        if (json)
        {
            Report.Json(new JsonObject
            {
                ["accounts"] = new JsonArray([.. imported.Select(i => (JsonNode)new JsonObject
                {
                    ["account"] = i.Account.AccountName, ["protocol"] = i.Account.Protocol, ["endpoint"] = Report.ToNode(i.Endpoint),
                    ["created"] = i.IsNew, ["peers"] = i.Told.Peers, ["keys"] = i.Told.Keys, ["trusted"] = i.Trusted,
                })]),
                ["failed"] = new JsonArray([.. failed.Select(f => (JsonNode)f)]),
                ["leftOut"] = new JsonArray([.. leftOut.Select(f => (JsonNode)f)]),
            });
            return;
        }
        Report.Table(["ACCOUNT", "ENDPOINT", "FINGERPRINT", "CONTACTS", "KEYS", "TRUSTED"], imported.Select(i => new[]
        {
            i.Account.AccountName, EndpointNames.Id(i.Endpoint.Name) + (i.IsNew ? "" : " (was there)"),
            EndpointNames.Fingerprint(i.Endpoint.Fingerprint), $"{i.Told.Peers}", $"{i.Told.Keys}", $"{i.Trusted}",
        }), "No account was imported.");
        foreach (var line in leftOut) Console.Out.WriteLine("Left out: " + Report.Safe(line) + ".");
        foreach (var line in failed) Console.Error.WriteLine("relay: not imported: " + Report.Safe(line));
    }
}
