using System.CommandLine;
using Relay.Client;
using Relay.V1;

namespace Relay.Cli.Endpoints;

/// <summary>The command group <c>relay endpoints</c>: list, show, create, update, delete, rotate, export, import.</summary>
internal static class EndpointsCommand
{
    public static Command Create() =>
        new("endpoints", "List, show, create, change, move and delete endpoints: the addresses for which Relay speaks OTR.")
    {
        CreateList(), CreateShow(), CreateCreate(), UpdateEndpointCommand.Create(), DeleteEndpointCommand.Create(),
        DeleteEndpointCommand.CreateUndelete(), ExportEndpointCommand.CreateRotate(), ExportEndpointCommand.Create(),
        ImportEndpointCommand.Create(), ArchiveSeal.CreateKeyCommand(),
    };

    private static Command CreateList()
    {
        var filter = new Option<string?>("--filter", "-f")
        {
            Description = "Only some: comparisons of network, account and display_name, such as 'network = irc AND account : bot'.",
            HelpName = "TEXT",
        };
        var deleted = new Option<bool>("--deleted") { Description = "Also those that are deleted and not yet purged." };
        var order = new Option<string?>("--order-by")
        {
            Description = "Order: name (the default), account, display_name, create_time or update_time; 'update_time desc' the other way.",
            HelpName = "FIELD",
        };
        var command = new Command("list", "List the endpoints.") { filter, deleted, order }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var client = Connection.Open(parsed);
            var all = await Pages.AllAsync<Endpoint>(async token =>
            {
                var request = new ListEndpointsRequest
                {
                    PageToken = token, Filter = parsed.GetValue(filter) ?? "", ShowDeleted = parsed.GetValue(deleted),
                    OrderBy = parsed.GetValue(order) ?? "",
                };
                var page = await client.CallAsync(o => client.Endpoints.ListEndpointsAsync(request, o), cancellation);
                return (page.Endpoints, page.NextPageToken);
            });
            if (parsed.GetValue(CommonOptions.Json)) Report.Json(Report.ToArray(all));
            else Report.Table(["ENDPOINT", "NETWORK", "ACCOUNT", "FINGERPRINT", "ENDS"],
                all.Select(e => new[]
                {
                    EndpointNames.Id(e.Name), e.Network, e.Account, EndpointNames.Fingerprint(e.Fingerprint), End(e),
                }),
                parsed.GetValue(filter) is not null ? "No endpoint matches the filter."
                    : "There are no endpoints yet. 'relay endpoints create --network … --account …' creates one.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command CreateShow()
    {
        var name = new Argument<string>("endpoint") { Description = "Id or name of the endpoint." };
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
        var network = new Option<string>("--network")
        {
            Description = "Name that the bridge uses for the chat network: xmpp, irc, …",
            HelpName = "NAME",
            Required = true,
        };
        var account = new Option<string?>("--account")
        {
            Description = "Address of the endpoint on that network.",
            HelpName = "ADDRESS",
        };
        var burner = new Option<string?>("--burner-domain")
        {
            Description = "Instead of --account, with --life: make an address in this domain that nobody can guess, and with it a burner.",
            HelpName = "DOMAIN",
        };
        var id = new Option<string?>("--id")
        {
            Description = "Id of the endpoint: 1 to 63 characters of [a-z0-9-], starting with a letter. 'burner-*': the server puts random ones for "
                + "the asterisk, and keys for 'burner-*' may use it. Default: chosen by the server.",
            HelpName = "ID",
        };
        var maxWire = new Option<uint>("--max-wire-bytes")
        {
            Description = "Longest message that the network accepts, in bytes; longer ones are sent in fragments. Default: 0, no limit.",
            HelpName = "N",
        };
        var allowV2 = new Option<bool>("--allow-v2") { Description = "Also speak OTR version 2, for old clients." };
        var allowClear = new Option<bool>("--allow-clear")
        {
            Description = "Send text unencrypted when no private session is established.",
        };
        var keyFile = new Option<string?>("--otr-key")
        {
            Description = "Use the identity key in a key file of another program: otr.private_key of libotr (Pidgin, Adium, irssi, WeeChat), "
                + "or the file of Gajim, Jitsi, ChatSecure, CoyIM and others.",
            HelpName = "FILE",
        };
        var keyAccount = new Option<string?>("--otr-key-account")
        {
            Description = "The account in that file. Default: the only one, or the one of --account.",
            HelpName = "NAME",
        };
        var life = new Option<string?>("--life")
        {
            Description = "Create a burner: after this time, such as 12h or 30d, its keys and conversations are destroyed.",
            HelpName = "TIME",
        };
        var command = new Command("create", "Create an endpoint and its identity key.")
        {
            network, account, burner, id, maxWire, allowV2, allowClear, life, keyFile, keyAccount,
        }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            if (parsed.GetValue(account) is null == parsed.GetValue(burner) is null)
                throw new CommandFailure(ExitCode.Usage, "Give either --account ADDRESS or --burner-domain DOMAIN.");
            if (parsed.GetValue(burner) is not null && parsed.GetValue(life) is null)
                throw new CommandFailure(ExitCode.Usage, "A burner needs an end: give --life TIME, such as --life 12h.");
            var request = new CreateEndpointRequest
            {
                RequestId = Guid.NewGuid().ToString("N"),
                EndpointId = parsed.GetValue(id) ?? "",
                Network = parsed.GetRequiredValue(network),
                Account = parsed.GetValue(account) ?? "",
                BurnerDomain = parsed.GetValue(burner) ?? "",
                MaxWireBytes = parsed.GetValue(maxWire),
                Policy = new Policy { AllowV2 = parsed.GetValue(allowV2), RequireEncryption = !parsed.GetValue(allowClear) },
            };
            if (parsed.GetValue(life) is { } time) request.Life = Durations.Parse(time, "--life");
            if (parsed.GetValue(keyFile) is { } file)
                request.LibotrPrivateKey = IdentityKeyFile.Read(file, parsed.GetValue(keyAccount), request.Account);
            else if (parsed.GetValue(keyAccount) is not null)
                throw new CommandFailure(ExitCode.Usage, "--otr-key-account names an account in the file of --otr-key, which is missing.");
            await using var client = Connection.Open(parsed, TimeSpan.FromSeconds(30));
            Show(parsed, await client.CallAsync(o => client.Endpoints.CreateEndpointAsync(request, o), cancellation));
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>Prints one endpoint.</summary>
    public static void Show(ParseResult parsed, Endpoint e)
    {
        if (parsed.GetValue(CommonOptions.Json))
        {
            Report.Json(Report.ToNode(e));
            return;
        }
        Report.Fields(
        [
            ("name", e.DisplayName.Length > 0 ? $"{e.Name} ({e.DisplayName})" : e.Name), ("network", e.Network), ("account", e.Account),
            ("fingerprint", EndpointNames.Fingerprint(e.Fingerprint)), ("instance tag", e.InstanceTag.ToString("x8")),
            .. e.FormerIdentities.Select(f =>
                ("until " + f.RetireTime.ToDateTime().ToString("yyyy-MM-dd"), EndpointNames.Fingerprint(f.Fingerprint))),
            ("policy", Policy(e.Policy)), ("verification", $"{Required(e.Policy.RequireVerified)}; {Answers(e.VerificationAnswerTime)}"),
            ("longest wire", e.MaxWireBytes == 0 ? "no limit" : $"{e.MaxWireBytes} bytes"),
            ("text", e.SingleLine ? "one message for each line" : "may have line ends"),
            ("private text", Format(e.TextFormat)),
            ("query text", e.HasQueryText ? e.QueryText : "the default, in English"),
            ("idle life",
                e.SessionIdleLife.Seconds == 0 ? "sessions do not end" : $"sessions end after {Times.Length(e.SessionIdleLife.ToTimeSpan())} without a message"),
            ("created", Times.SayBoth(e.CreateTime)), ("changed", Times.SayBoth(e.UpdateTime)),
            .. e.DeleteTime is { } deleted ? [("deleted", Times.SayBoth(deleted))] : Array.Empty<(string, string)>(),
            .. e.PurgeTime is { } purge ? [("ends", $"{Times.SayBoth(purge)}: keys and conversations are destroyed")]
                : Array.Empty<(string, string)>(),
        ]);
    }

    private static string End(Endpoint e) =>
        e.PurgeTime is not { } time ? "" : $"{Times.Say(time)}{(e.DeleteTime is null ? "" : ", deleted")}";

    private static string Policy(Policy p) => string.Join(", ", new[]
    {
        p.AllowV3 ? "version 3" : null, p.AllowV2 ? "version 2" : null,
        p.RequireEncryption ? "encryption required" : "clear text allowed",
        p.SendWhitespaceTag ? "sends whitespace tag" : null, p.StartOnWhitespaceTag ? "starts on whitespace tag" : null,
        p.StartOnError ? "starts on error" : null,
        p.IgnoreStrangers ? "ignores strangers" : null,
        p.KeyChange == Relay.V1.Policy.Types.KeyChange.Refuse ? "refuses a changed key" : null,
        p.KeyChange == Relay.V1.Policy.Types.KeyChange.Hold ? "holds text to a changed key" : null,
    }.Where(s => s is not null));

    private static string Required(Policy.Types.RequireVerified required) => required switch
    {
        Relay.V1.Policy.Types.RequireVerified.Always => "text goes to verified keys only",
        Relay.V1.Policy.Types.RequireVerified.OnceVerified => "text goes to verified keys only, once there is one",
        _ => "text goes to any key",
    };

    private static string Format(Endpoint.Types.TextFormat format) => format switch
    {
        Endpoint.Types.TextFormat.Plain => "plain",
        Endpoint.Types.TextFormat.Html => "HTML",
        _ => "HTML with contacts that write HTML",
    };

    private static string Answers(Google.Protobuf.WellKnownTypes.Duration time) =>
        time.Seconds == 0 ? "peers' requests are declined" : $"peers' requests wait {Times.Length(time.ToTimeSpan())}";
}
