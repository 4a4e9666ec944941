using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Google.Protobuf.WellKnownTypes;
using Relay.Client;
using Relay.Gateway.Auth;
using Relay.V1;

namespace Relay.Cli.Keys;

/// <summary>The command group <c>relay keys</c>: create, list, update, rotate, revoke, delete.</summary>
internal static class KeysCommand
{
    public static Command Create() => new("keys", "Create, list, change, rotate, revoke and delete API keys.")
    {
        CreateCreate(), CreateList(), UpdateKeyCommand.Create(), CreateRotate(), CreateRevoke(), CreateDelete(),
    };

    private static Command CreateCreate()
    {
        var scope = new Option<string[]>("--scope")
        {
            Description = "bot: plaintext; bridge: wire text; admin: endpoints; monitor: reads the state; trust: peers' keys; keys: API keys "
                + "and identity keys. May be repeated, but no key has both bot and bridge.",
            Required = true,
        };
        scope.AcceptOnlyFromAmong([.. KeyScopeNames.All]);
        var endpoints = new Option<string[]>("--endpoint", "-e")
        {
            Description = "Limit the key to this endpoint, or to those that begin so ('support-*'); may be repeated. Default: all "
                + "endpoints, including later ones.",
            HelpName = "ENDPOINT",
            DefaultValueFactory = _ => [],
        };
        var expires = new Option<string?>("--expires")
        {
            Description = "When the key expires: 90d, 'in 12 hours', tomorrow, or a date. Default: in a year.",
            HelpName = "WHEN",
        };
        var noExpiry = new Option<bool>("--no-expiry") { Description = "The key does not expire." };
        var limits = new CallerLimitSwitches("Default: the server's limit.");
        var name = new Option<string>("--name", "-n")
        {
            Description = "Name of the key in lists.",
            HelpName = "NAME",
            DefaultValueFactory = _ => "",
        };
        var output = new Option<string?>("--out", "-o")
        {
            Description = "Write the key to a new file (0600) instead of the terminal. The file is created first; if the key cannot "
                + "be written to it, the key is revoked again.",
            HelpName = "FILE",
        };
        var command = new Command("create", "Create a key. Its secret is shown once.")
        {
            scope, endpoints, expires, noExpiry, name, output,
        }.WithServer();
        limits.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var request = new CreateApiKeyRequest
            {
                RequestId = Guid.NewGuid().ToString("N"),
                DisplayName = parsed.GetValue(name) ?? "",
                NoExpiry = parsed.GetValue(noExpiry),
            };
            request.Scopes.AddRange(parsed.GetRequiredValue(scope).Distinct().Select(s => System.Enum.Parse<Scope>(s, ignoreCase: true)));
            request.Endpoints.AddRange(parsed.GetRequiredValue(endpoints).Select(EndpointNames.Endpoint));
            request.Limits = limits.Read(parsed);
            if (request.NoExpiry && parsed.GetValue(expires) is not null)
                throw new CommandFailure(ExitCode.Usage, "--expires and --no-expiry exclude each other.");
            if (parsed.GetValue(expires) is { } when) request.ExpireTime = Times.ParseFuture(when, "--expires", DateTimeOffset.UtcNow).ToTimestamp();
            var path = parsed.GetValue(output);
            using var file = path is null ? null : NewKeyFile.Create(path);

            await using var client = Connection.Open(parsed);
            // A misspelt endpoint would create a key without access to anything.
            foreach (var endpoint in request.Endpoints.Where(e => !e.EndsWith('*')))
                await client.CallAsync(o => client.Endpoints.GetEndpointAsync(new GetEndpointRequest { Name = endpoint }, o), cancellation);
            var created = await client.CallAsync(o => client.Admin.CreateApiKeyAsync(request, o), cancellation);
            try
            {
                if (file is null) Print(parsed, created, null);
                else file.Write(created.Token);
            }
            // .NET reports EFBIG as an invalid argument.
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
            {
                throw await TakeBackAsync(client, created.ApiKey.Name, path ?? "the output", e);
            }
            if (file is not null) Print(parsed, created, path);
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>Revokes a key whose secret could not be written anywhere, so that no key stays valid that nobody has.</summary>
    /// <returns>The failure of the command.</returns>
    private static async Task<CommandFailure> TakeBackAsync(RelayClient client, string key, string place, Exception e)
    {
        try
        {
            await client.CallAsync(o => client.Admin.RevokeApiKeyAsync(new RevokeApiKeyRequest { Name = key }, o), CancellationToken.None);
            return new CommandFailure(ExitCode.Failed, $"The key could not be written to {place}: {e.Message} {key} is revoked again.",
                "Correct the cause, or choose another file with --out, and create the key again.", inner: e);
        }
        catch (RelayException revoking)
        {
            return new CommandFailure(ExitCode.Failed, $"The key could not be written to {place}: {e.Message} "
                + $"{key} is STILL VALID, because it could not be revoked: {revoking.Message}", $"Revoke it: relay keys revoke {key}",
                inner: e);
        }
    }

    private static void Print(ParseResult parsed, CreateApiKeyResponse created, string? file)
    {
        if (parsed.GetValue(CommonOptions.Json))
        {
            var node = Report.ToNode(created.ApiKey).AsObject();
            if (file is null) node["token"] = created.Token;
            else node["file"] = file;
            Report.Json(node);
        }
        else if (file is not null)
        {
            Console.Out.WriteLine($"{created.ApiKey.Name} is in {file} (readable by you only). Use it with RELAY_KEY_FILE={file}.");
        }
        else
        {
            // Standard output gets only the key, so that it can be redirected.
            Console.Error.WriteLine($"{created.ApiKey.Name}: this is the only time its secret is shown.");
            Console.Out.WriteLine(created.Token);
        }
    }

    private static Command CreateList()
    {
        var command = new Command("list", "List the keys, without their secrets.").WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var client = Connection.Open(parsed);
            var all = await Pages.AllAsync<V1.ApiKey>(async token =>
            {
                var page = await client.CallAsync(o => client.Admin.ListApiKeysAsync(new ListApiKeysRequest { PageToken = token }, o),
                    cancellation);
                return (page.ApiKeys, page.NextPageToken);
            });
            if (parsed.GetValue(CommonOptions.Json)) Report.Json(Report.ToArray(all));
            else Report.Table(["KEY", "SCOPES", "NAME", "ENDPOINTS", "STATUS", "LAST USED"],
                all.OrderBy(k => k.CreateTime.ToDateTime()).Select(k => new[]
            {
                EndpointNames.Id(k.Name), string.Join(", ", k.Scopes.Select(s => s.ToString().ToLowerInvariant())), k.DisplayName,
                k.Endpoints.Count == 0 ? "all" : string.Join(", ", k.Endpoints.Select(EndpointNames.Id)), Status(k),
                LastUsed(k.LastUseTime),
            }), "There are no keys.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command CreateRotate()
    {
        var name = new Argument<string>("key") { Description = "Id or name of the key." };
        var overlap = new Option<string?>("--overlap")
        {
            Description = "For how long the present secret stays valid: 24h, 7d, 0. Default: one day; at most 30 days.",
            HelpName = "TIME",
        };
        var expires = new Option<string?>("--expires")
        {
            Description = "When the key expires: 90d, 'in 12 hours', tomorrow, or a date. Default: as before.",
            HelpName = "WHEN",
        };
        var output = new Option<string?>("--out", "-o")
        {
            Description = "Write the key to a new file (0600) instead of the terminal. If it cannot be written, the present secret stays "
                + "valid for the overlap.",
            HelpName = "FILE",
        };
        var command = new Command("rotate", "Give a key another secret, which is shown once.")
        {
            name, overlap, expires, output,
        }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            var request = new RotateApiKeyRequest
            {
                RequestId = Guid.NewGuid().ToString("N"), Name = EndpointNames.ApiKey(parsed.GetRequiredValue(name)),
            };
            if (parsed.GetValue(overlap) is { } time) request.Overlap = Durations.Parse(time, "--overlap");
            if (parsed.GetValue(expires) is { } when) request.ExpireTime = Times.ParseFuture(when, "--expires", DateTimeOffset.UtcNow).ToTimestamp();
            var path = parsed.GetValue(output);
            using var file = path is null ? null : NewKeyFile.Create(path);
            await using var client = Connection.Open(parsed);
            var rotated = await client.CallAsync(o => client.Admin.RotateApiKeyAsync(request, o), cancellation);
            try
            {
                file?.Write(rotated.Token);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
            {
                throw new CommandFailure(ExitCode.Failed, $"The key could not be written to {path}: {e.Message}",
                    "The present secret stays valid for the overlap: correct the cause, and rotate the key again.", inner: e);
            }
            Print(parsed, rotated, path);
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command CreateRevoke()
    {
        var name = new Argument<string>("key") { Description = "Id or name of the key." };
        var command = new Command("revoke", "Revoke a key with immediate effect.") { name }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var client = Connection.Open(parsed);
            var request = new RevokeApiKeyRequest { Name = EndpointNames.ApiKey(parsed.GetRequiredValue(name)) };
            var key = await client.CallAsync(o => client.Admin.RevokeApiKeyAsync(request, o), cancellation);
            if (parsed.GetValue(CommonOptions.Json)) Report.Json(Report.ToNode(key));
            else Console.Out.WriteLine($"{key.Name} is revoked.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command CreateDelete()
    {
        var names = new Argument<string[]>("key")
        {
            Description = "Ids or names of keys. Default: all that are revoked or have expired.", Arity = ArgumentArity.ZeroOrMore,
        };
        var command = new Command("delete", "Remove keys from the list that are revoked or have expired.") { names }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var client = Connection.Open(parsed);
            var named = (parsed.GetValue(names) ?? []).Select(EndpointNames.ApiKey).ToList();
            if (named.Count == 0)
            {
                var all = await Pages.AllAsync<V1.ApiKey>(async token =>
                {
                    var page = await client.CallAsync(
                        o => client.Admin.ListApiKeysAsync(new ListApiKeysRequest { PageToken = token }, o), cancellation);
                    return (page.ApiKeys, page.NextPageToken);
                });
                var now = DateTime.UtcNow;
                named.AddRange(all.Where(k => k.RevokeTime is not null || k.ExpireTime?.ToDateTime() < now).Select(k => k.Name));
            }
            foreach (var name in named)
                await client.CallAsync(o => client.Admin.DeleteApiKeyAsync(new DeleteApiKeyRequest { Name = name }, o), cancellation);
            if (parsed.GetValue(CommonOptions.Json)) Report.Json(new JsonObject { ["deleted"] = new JsonArray([.. named.Select(n => (JsonNode)n)]) });
            else Console.Out.WriteLine(named.Count == 1 ? "1 key is deleted." : $"{named.Count} keys are deleted.");
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>The server tells the hour of the last use, not the minute.</summary>
    private static string LastUsed(Timestamp? hour) =>
        hour is not null && DateTime.UtcNow - hour.ToDateTime() < TimeSpan.FromHours(1) ? "this hour" : Times.Say(hour);

    private static string Status(V1.ApiKey k) =>
        k.RevokeTime is { } revoked ? $"revoked {Times.Say(revoked)}"
        : k.ExpireTime is not { } expires ? "valid"
        : expires.ToDateTime() <= DateTime.UtcNow ? $"expired {Times.Say(expires)}"
        : $"valid, ends {Times.Say(expires)}";
}
