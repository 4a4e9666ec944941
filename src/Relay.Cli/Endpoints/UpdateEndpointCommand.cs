using System.CommandLine;
using Google.Protobuf.WellKnownTypes;
using Relay.Client;
using Relay.V1;
using KeyChange = Relay.V1.Policy.Types.KeyChange;
using Option = System.CommandLine.Option;
using RequireVerified = Relay.V1.Policy.Types.RequireVerified;
using TextFormat = Relay.V1.Endpoint.Types.TextFormat;

namespace Relay.Cli.Endpoints;

/// <summary>The command <c>relay endpoints update</c>: changes what was given, and nothing else.</summary>
internal static class UpdateEndpointCommand
{
    private static readonly Dictionary<string, RequireVerified> s_required = new()
    {
        ["never"] = RequireVerified.Never, ["once"] = RequireVerified.OnceVerified, ["always"] = RequireVerified.Always,
    };

    private static readonly Dictionary<string, KeyChange> s_keyChange = new()
    {
        ["report"] = KeyChange.Report, ["refuse"] = KeyChange.Refuse, ["hold"] = KeyChange.Hold,
    };

    private static readonly Dictionary<string, TextFormat> s_textFormat = new()
    {
        ["auto"] = TextFormat.Auto, ["plain"] = TextFormat.Plain, ["html"] = TextFormat.Html,
    };

    /// <param name="Path">The field in the API's mask.</param>
    /// <param name="Set">Reads the option into the request.</param>
    private sealed record Setting(Option Option, string Path, Action<ParseResult, Endpoint> Set);

    public static Command Create()
    {
        var endpoint = new Argument<string>("endpoint") { Description = "Id or name of the endpoint." };
        Setting[] settings =
        [
            Of("--name", "TEXT", "Name for people. Empty: none.", "display_name", (string? v, Endpoint e) => e.DisplayName = v ?? ""),
            Of("--require-verified", "never|once|always",
                "Send text to verified keys only: never, once a key of the peer is verified, or always.", "policy.require_verified",
                (string v, Endpoint e) => e.Policy.RequireVerified = Known(s_required, v, "--require-verified")),
            Of("--key-change", "report|refuse|hold", "What happens when a peer shows another key than before.", "policy.key_change",
                (string v, Endpoint e) => e.Policy.KeyChange = Known(s_keyChange, v, "--key-change")),
            Of("--allow-clear", "true|false", "Send text unencrypted when no private session is established.", "policy.require_encryption",
                (bool v, Endpoint e) => e.Policy.RequireEncryption = !v),
            Of("--allow-v2", "true|false", "Also speak OTR version 2, for old clients.", "policy.allow_v2",
                (bool v, Endpoint e) => e.Policy.AllowV2 = v),
            Of("--ignore-strangers", "true|false", "Do not answer offers of a session from peers with whom there was none.",
                "policy.ignore_strangers", (bool v, Endpoint e) => e.Policy.IgnoreStrangers = v),
            Of("--max-wire-bytes", "N", "Longest message that the network accepts, in bytes; 0: no limit.", "max_wire_bytes",
                (uint v, Endpoint e) => e.MaxWireBytes = v),
            Of("--single-line", "true|false", "The network's messages are lines, as IRC's are.", "single_line",
                (bool v, Endpoint e) => e.SingleLine = v),
            Of("--query-text", "TEXT", "What people without OTR read when a session is offered, in their language. Empty: nothing.",
                "query_text", (string? v, Endpoint e) => e.QueryText = v ?? ""),
            Of("--padding", "N", "Pad texts to a multiple of this many bytes; 0: no padding.", "padding_block",
                (uint v, Endpoint e) => e.PaddingBlock = v),
            Of("--text-format", "auto|plain|html",
                "What contacts write and read in private sessions: plain text, HTML as Pidgin and Adium, or what each is seen to write.",
                "text_format", (string v, Endpoint e) => e.TextFormat = Known(s_textFormat, v, "--text-format")),
            Of("--idle-life", "TIME", "End private sessions that are idle for this long: 14d, 12h; 0: never.", "session_idle_life",
                (string v, Endpoint e) => e.SessionIdleLife = Durations.Parse(v, "--idle-life")),
            Of("--answer-time", "TIME", "Time to answer a verification that a peer began: 2m, 1h; 0: decline at once.",
                "verification_answer_time", (string v, Endpoint e) => e.VerificationAnswerTime = Durations.Parse(v, "--answer-time")),
            Of("--event-stream", "true|false", "Whether events go to the endpoint's own stream too, and not only to its subscriptions.",
                "disable_event_stream", (bool v, Endpoint e) => e.DisableEventStream = !v),
        ];
        var command = new Command("update", "Change an endpoint. Conversations follow with their next message.") { endpoint };
        foreach (var setting in settings) command.Options.Add(setting.Option);
        command.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            var request = new UpdateEndpointRequest
            {
                Endpoint = new Endpoint { Name = EndpointNames.Endpoint(parsed.GetRequiredValue(endpoint)), Policy = new Policy() },
                UpdateMask = new FieldMask(),
            };
            foreach (var setting in settings.Where(s => parsed.GetResult(s.Option) is { Implicit: false }))
            {
                setting.Set(parsed, request.Endpoint);
                request.UpdateMask.Paths.Add(setting.Path);
            }
            if (request.UpdateMask.Paths.Count == 0)
            {
                throw new CommandFailure(
                    ExitCode.Usage, "Nothing to change was named.", "'relay endpoints update --help' lists what can be.");
            }
            await using var client = Connection.Open(parsed);
            EndpointsCommand.Show(parsed, await client.CallAsync(o => client.Endpoints.UpdateEndpointAsync(request, o), cancellation));
            return ExitCode.Ok;
        });
        return command;
    }

    private static Setting Of<T>(string name, string helpName, string description, string path, Action<T, Endpoint> set)
    {
        var option = new Option<T>(name) { Description = description, HelpName = helpName };
        return new Setting(option, path, (parsed, endpoint) => set(parsed.GetValue(option)!, endpoint));
    }

    private static T Known<T>(Dictionary<string, T> values, string value, string option) => values.TryGetValue(value, out var known)
        ? known : throw new CommandFailure(ExitCode.Usage, $"{option} must be one of {string.Join(", ", values.Keys)}.");
}
