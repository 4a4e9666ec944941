using System.CommandLine;
using System.Text.Json.Nodes;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Relay.Client;
using Relay.V1;
using Endpoint = Relay.V1.Endpoint;

namespace Relay.Cli.Bots;

/// <summary>The command <c>relay bot echo</c>: answers every text with itself, to try out a bridge and a chat program.</summary>
internal static class EchoBotCommand
{
    private const string VersionNotAllowed = "VERSION_NOT_ALLOWED";
    private static readonly Option<string> s_endpoint = new("--endpoint", "-e")
    {
        Description = "Id or name of the endpoint to answer for.", Required = true,
    };
    private static readonly Option<string?> s_secretFile = new("--smp-secret-file")
    {
        Description = "File whose first line is the secret with which contacts' verifications (SMP) are answered. Default: they are "
            + "declined.",
        HelpName = "FILE",
    };
    private static readonly Option<string?> s_html = new("--html")
    {
        Description = "The form of texts that the endpoint must be set to: auto (HTML with contacts who write HTML) or plain. Default: as "
            + "it is.",
        HelpName = "auto|plain",
    };

    public static Command Create()
    {
        var command = new Command("echo", "Answer every text with itself, and verifications with a secret; '!otr please' asks for a "
            + "private session. Needs a key of scope bot.")
        {
            s_endpoint, s_secretFile, s_html,
        }.WithServer();
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        var name = EndpointNames.Endpoint(parsed.GetRequiredValue(s_endpoint));
        var secret = parsed.GetValue(s_secretFile) is { } file ? ReadSecret(file) : null;
        await using var client = Connection.Open(parsed, TimeSpan.FromMinutes(1));
        var endpoint = await client.CallAsync(o => client.Endpoints.GetEndpointAsync(new GetEndpointRequest { Name = name }, o), stop);
        if (parsed.GetValue(s_html) is { } html) await SetFormatAsync(client, endpoint, html, stop);
        bool json = CommonOptions.IsJson(parsed);
        if (json) Report.JsonLine(new JsonObject { ["event"] = "ready", ["endpoint"] = name });
        else Console.Out.WriteLine($"Answers for {name}, whose account is {Report.Safe(endpoint.Account)}. Ctrl-C ends it.");
        bool requiresEncryption = endpoint.Policy is not { HasRequireEncryption: true, RequireEncryption: false };
        var bot = new EchoBot(client.Bot(name), secret, requiresEncryption, TimeProvider.System, refusal =>
        {
            if (json) Report.JsonLine(new JsonObject { ["event"] = "refused", ["reason"] = refusal });
            else Console.Error.WriteLine($"relay: refused: {refusal}");
        }, code => Tell(code, name, json));
        try
        {
            await bot.RunAsync(stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Asked to end: that is no failure of a program that runs until then.
        }
        return ExitCode.Ok;
    }

    /// <summary>Says what the operator can do about a notice; nothing about the others, which are the contact's matter.</summary>
    private static void Tell(string code, string endpoint, bool json)
    {
        if (code != VersionNotAllowed) return;
        if (json) Report.JsonLine(new JsonObject { ["event"] = "notice", ["code"] = code });
        else
        {
            Console.Error.WriteLine("relay: A contact's program asks for a version of OTR that the endpoint does not allow, and gets no "
                + $"answer. Some programs have version 2 only: relay endpoints update {EndpointNames.Id(endpoint)} --allow-v2 true");
        }
    }

    /// <summary>Sets the form of texts, which is a property of the endpoint and needs an admin key unless it is set already.</summary>
    private static async Task SetFormatAsync(RelayClient client, Endpoint endpoint, string html, CancellationToken stop)
    {
        var wanted = html switch
        {
            "auto" => Endpoint.Types.TextFormat.Auto,
            "plain" => Endpoint.Types.TextFormat.Plain,
            _ => throw new CommandFailure(ExitCode.Usage, "--html must be auto or plain."),
        };
        var present = endpoint.TextFormat;
        if (present == Endpoint.Types.TextFormat.Unspecified) present = Endpoint.Types.TextFormat.Auto;
        if (present == wanted) return;
        var request = new UpdateEndpointRequest
        {
            Endpoint = new Endpoint { Name = endpoint.Name, TextFormat = wanted }, UpdateMask = new FieldMask { Paths = { "text_format" } },
        };
        try
        {
            await client.CallAsync(o => client.Endpoints.UpdateEndpointAsync(request, o), stop);
        }
        catch (RelayException e) when (e.Code == StatusCode.PermissionDenied)
        {
            throw new CommandFailure(ExitCode.Denied, $"The endpoint's texts are not set to {html}, and a bot's key may not change that.",
                $"With an admin key: relay endpoints update {EndpointNames.Id(endpoint.Name)} --text-format {html}", e.Reason, e);
        }
    }

    private static string ReadSecret(string file)
    {
        try
        {
            return File.ReadLines(file).FirstOrDefault() is { Length: > 0 } line ? line
                : throw new CommandFailure(ExitCode.Usage, "The first line of --smp-secret-file is empty.", "Write the secret into it.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Failed, $"--smp-secret-file cannot be read: {e.Message}", inner: e);
        }
    }
}
