using System.CommandLine;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Relay.Cli.Bridges;
using Relay.Gateway.Hosting;

namespace Relay.Cli.Serve;

/// <summary>
/// A bridge that <c>relay serve</c> hosts, from a section <c>Relay:Bridges:N</c> of its configuration. The settings in it are the switches
/// of <c>relay bridge xmpp</c> or <c>relay bridge irc</c> (<c>SecretFile</c> for <c>--secret-file</c>), and are checked by the same code.
/// </summary>
/// <param name="Name">The network and the section's name: <c>xmpp-0</c>.</param>
/// <param name="Settings">For the connection to the server.</param>
/// <param name="KeyFile">Read at each start of the bridge, so that it may be created, or replaced, while the server runs.</param>
internal sealed record HostedBridge(string Name, ParseResult Settings, string KeyFile, CreateNetwork Create)
{
    /// <summary>The bridges that one server may host.</summary>
    public const int MaxBridges = 64;

    private const string Network = "Network";

    /// <summary>Where the setting's name is in a key: <c>Relay:Bridges:0:SecretFile</c>.</summary>
    private const int SettingDepth = 3;

    private static readonly Lazy<HashSet<string>> s_settings = new(() => new HashSet<string>(
        XmppBridgeCommand.CreateWithoutAction().Options.Concat(IrcBridgeCommand.CreateWithoutAction().Command.Options).Select(Key)
            .Append(Network), StringComparer.OrdinalIgnoreCase));

    /// <summary>Reads every section, and the server's other settings; they are valid if there are no mistakes.</summary>
    public static (IReadOnlyList<HostedBridge> Bridges, IReadOnlyList<string> Mistakes) Check(IConfiguration configuration)
    {
        var (bridges, mistakes) = ReadAll(configuration);
        return (bridges, [.. RelayOptionsValidator.Read(configuration).Mistakes, .. mistakes]);
    }

    /// <summary>Reads every section.</summary>
    private static (IReadOnlyList<HostedBridge> Bridges, IReadOnlyList<string> Mistakes) ReadAll(IConfiguration configuration)
    {
        var bridges = new List<HostedBridge>();
        var mistakes = new List<string>();
        var sections = configuration.GetSection(RelaySettings.Bridges).GetChildren().ToList();
        if (sections.Count > MaxBridges)
            return ([], [$"{RelaySettings.Bridges} has {sections.Count} bridges, and a server hosts {MaxBridges}."]);
        bool tls = configuration[RelaySettings.Url]?.StartsWith(Uri.UriSchemeHttps, StringComparison.OrdinalIgnoreCase) == true;
        foreach (var section in sections)
        {
            int before = mistakes.Count;
            var bridge = Read(section, tls, mistakes);
            if (mistakes.Count == before) bridges.Add(bridge!);
        }
        return (bridges, mistakes);
    }

    /// <summary>
    /// A setting as it may be shown. What is no setting of a bridge may be a password that was written where a file's name belongs.
    /// </summary>
    public static ShownSetting Masked(ShownSetting setting)
    {
        if (setting.Value is null || !setting.Key.StartsWith(RelaySettings.Bridges + ":", StringComparison.OrdinalIgnoreCase)) return setting;
        var parts = setting.Key.Split(':');
        bool isKnown = parts.Length > SettingDepth
            && s_settings.Value.Contains(parts[SettingDepth]);
        return isKnown ? setting : setting with { Value = ShownSetting.Mask };
    }

    private static HostedBridge? Read(IConfigurationSection section, bool tls, List<string> mistakes)
    {
        if (!Regex.IsMatch(section.Key, @"\A[A-Za-z0-9-]{1,32}\z"))
            mistakes.Add($"{section.Path}: a bridge is named by a number, or by at most 32 letters, digits and minus signs.");
        var (irc, readIrc) = IrcBridgeCommand.CreateWithoutAction();
        (Command Command, Func<ParseResult, CreateNetwork> Read)? known = section[Network]?.ToLowerInvariant() switch
        {
            "xmpp" => (XmppBridgeCommand.CreateWithoutAction(), XmppBridgeCommand.Read),
            "irc" => (irc, readIrc),
            _ => null,
        };
        if (known is not var (command, read))
        {
            mistakes.Add($"{section.Path}:{Network} must be xmpp or irc.");
            return null;
        }
        // The data directory is the server's, and its admin key is not for bridges.
        command.Options.Remove(CommonOptions.Data);
        var arguments = Arguments(section, command, mistakes);
        if (section[Key(CommonOptions.KeyFile)] is not { Length: > 0 } keyFile)
        {
            keyFile = "";
            mistakes.Add($"{section.Path}:{Key(CommonOptions.KeyFile)} must name a file with a key of scope bridge: "
                + "relay keys create --scope bridge --out FILE. It may be created once the server runs.");
        }
        if (tls && section[Key(CommonOptions.Server)] is not { Length: > 0 })
        {
            mistakes.Add($"{section.Path}:{Key(CommonOptions.Server)} must be this server's address with a name for which its certificate "
                + "is valid, such as https://relay.example.org:7420, because it listens with TLS.");
        }
        var parsed = command.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        mistakes.AddRange(parsed.Errors.Select(e => Told(section, command, WrongUsage.Plain(e.Message))));
        if (parsed.Errors.Count > 0) return null;
        try
        {
            if (section[Key(CommonOptions.Server)] is not null) Connection.Servers(parsed);
            return new HostedBridge($"{command.Name}-{section.Key}", parsed, keyFile, read(parsed));
        }
        catch (Exception e) when (e is CommandFailure or IOException)
        {
            mistakes.Add(Told(section, command, e is CommandFailure { Hint: { } hint } ? $"{e.Message} {hint}" : e.Message));
            return null;
        }
    }

    private static List<string> Arguments(IConfigurationSection section, Command command, List<string> mistakes)
    {
        var arguments = new List<string>();
        foreach (var setting in section.GetChildren().Where(s => !s.Key.Equals(Network, StringComparison.OrdinalIgnoreCase)))
        {
            var option = command.Options.FirstOrDefault(o => Key(o).Equals(setting.Key, StringComparison.OrdinalIgnoreCase));
            if (option is null)
            {
                mistakes.Add($"{setting.Path} is not a setting of a bridge to {command.Name}, which has {Network}, "
                    + $"{string.Join(", ", command.Options.Select(Key))}.");
                continue;
            }
            // Several values, as of --join, are a list.
            var values = setting.Value is { } one ? [one] : setting.GetChildren().Select(v => v.Value ?? "");
            arguments.AddRange(values.Select(value => $"{option.Name}={value}"));
        }
        return arguments;
    }

    /// <summary>The setting's name for a switch: <c>SecretFile</c> for <c>--secret-file</c>.</summary>
    private static string Key(Option option) =>
        string.Concat(option.Name.Split('-', StringSplitOptions.RemoveEmptyEntries)
            .Select(word => char.ToUpperInvariant(word[0]) + word[1..]));

    /// <summary>A message about switches as one about the settings of a section.</summary>
    private static string Told(IConfigurationSection section, Command command, string message)
    {
        foreach (var option in command.Options.OrderByDescending(o => o.Name.Length))
            message = message.Replace(option.Name, Key(option), StringComparison.Ordinal);
        return $"{section.Path}: {message}";
    }
}
