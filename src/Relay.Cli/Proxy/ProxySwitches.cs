using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Relay.ChatProtocols.Dialing;
using Relay.Proxy;
using Relay.Proxy.Storage;

namespace Relay.Cli.Proxy;

/// <summary>The switches that the proxies of all networks have.</summary>
internal sealed class ProxySwitches
{
    private const int MaxCredentialsBytes = 512;

    private readonly Option<string> _listen;
    private readonly Option<string?> _directory = new("--directory")
    {
        Description = "Directory for the account's key, trust and state; one for each account. Default: below the user's data folder.",
        HelpName = "DIR",
    };
    private readonly Option<string?> _proxy = new("--proxy")
    {
        Description = "Connect to the server through socks5://HOST:PORT, http://HOST:PORT or https://HOST:PORT. No name is looked up here then.",
        HelpName = "URL",
    };
    private readonly Option<string?> _credentials = new("--proxy-credentials")
    {
        Description = "File with USER:PASSWORD for that proxy.", HelpName = "FILE",
    };
    private readonly Option<bool> _isolate = new("--isolate")
    {
        Description = "Give Tor's SOCKS port a user name of this account's own, so that the account has circuits of its own.",
    };
    private readonly Option<string?> _proxyAuthorities = new("--proxy-ca")
    {
        Description = "PEM file of the authority of an https proxy, instead of the system's.", HelpName = "FILE",
    };
    private readonly Option<string?> _authorities = new("--upstream-ca")
    {
        Description = "PEM file of the authority of the server's certificate, instead of the system's.", HelpName = "FILE",
    };
    private readonly Option<string[]> _private = new("--private")
    {
        Description = "A contact that nothing goes to in the clear, from the start; may be repeated.", HelpName = "CONTACT",
    };
    private readonly Option<string> _marks = new("--marks")
    {
        Description = "Marks before private texts: locks, or letters in brackets.", HelpName = "locks|ascii", DefaultValueFactory = _ => "locks",
    };
    private readonly Option<bool> _keepHtml = new("--keep-html")
    {
        Description = "Show private texts that are HTML as they came.",
    };
    private readonly Option<bool> _answerAll = new("--answer-strangers")
    {
        Description = "Take up offers of a private conversation from everybody, which tells them that you are there.",
    };
    private readonly Option<string?> _import = new("--import")
    {
        Description = "Read key, fingerprints and instance tag from this folder of libotr's files, and exit.", HelpName = "DIR",
    };
    private readonly Option<string?> _export = new("--export")
    {
        Description = "Write them into this folder, and exit.", HelpName = "DIR",
    };

    /// <param name="movesFiles">With the switches that import and export.</param>
    public ProxySwitches(Command command, string defaultListen, bool movesFiles)
    {
        _listen = new Option<string>("--listen")
        {
            Description = "Loopback address and port for the chat program.", HelpName = "HOST:PORT", DefaultValueFactory = _ => defaultListen,
        };
        Option[] all =
        [
            _listen, _directory, _proxy, _credentials, _isolate, _proxyAuthorities, _authorities, _private, _marks, _keepHtml, _answerAll,
            .. movesFiles ? (Option[])[_import, _export] : [],
        ];
        foreach (var option in all) command.Options.Add(option);
    }

    public IPEndPoint Listen(ParseResult parsed)
    {
        var text = parsed.GetValue(_listen)!.Replace("localhost", "127.0.0.1", StringComparison.OrdinalIgnoreCase);
        if (!IPEndPoint.TryParse(text, out var address) || !text.Contains(':', StringComparison.Ordinal))
            throw Wrong("--listen must be an address with a port, for example 127.0.0.1:5222.");
        return IPAddress.IsLoopback(address.Address) ? address : throw Wrong("--listen must be a loopback address: the chat program sends its "
            + "password to it. Use an SSH tunnel from other machines.");
    }

    public X509Certificate2Collection? Authorities(ParseResult parsed) => Authorities(parsed, _authorities);

    public DialOptions Dial(ParseResult parsed, string account)
    {
        if (parsed.GetValue(_proxy) is not { } text)
        {
            return parsed.GetValue(_credentials) is null && !parsed.GetValue(_isolate) && parsed.GetValue(_proxyAuthorities) is null ? new DialOptions()
                : throw Wrong("--proxy-credentials, --isolate and --proxy-ca are about --proxy, which is missing.");
        }
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Port <= 0 || url.UserInfo.Length > 0 || url.PathAndQuery is not ("/" or ""))
            throw Wrong("--proxy must be a URL such as socks5://127.0.0.1:9050; a user name goes into the file of --proxy-credentials.");
        ProxyKind kind = url.Scheme switch
        {
            "socks5" or "socks5h" => ProxyKind.Socks5,
            "http" => ProxyKind.Http,
            "https" => ProxyKind.Https,
            _ => throw Wrong("--proxy must begin with socks5://, http:// or https://."),
        };
        var proxy = new ProxyServer(kind, url.IdnHost.Trim('[', ']'), url.Port) { Authorities = Authorities(parsed, _proxyAuthorities) };
        if (parsed.GetValue(_credentials) is { } file)
        {
            var line = Read(file, "--proxy-credentials");
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0 || line.Length > MaxCredentialsBytes) throw Wrong("The file of --proxy-credentials must have one line USER:PASSWORD.");
            proxy = proxy with { User = line[..colon], Password = line[(colon + 1)..] };
        }
        if (!parsed.GetValue(_isolate)) return new DialOptions { Proxy = proxy };
        if (kind != ProxyKind.Socks5 || proxy.User is not null) throw Wrong("--isolate is for a SOCKS port of Tor, without --proxy-credentials.");
        // Tor isolates streams by user name; the name itself tells it nothing.
        var name = Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(account)))[..16];
        return new DialOptions { Proxy = proxy with { User = "relay-" + name, Password = "relay" } };
    }

    public ProxyAccountOptions Account(ParseResult parsed, string account, string protocol, Func<string, string?> contact)
    {
        var marks = parsed.GetValue(_marks);
        if (marks is not ("locks" or "ascii")) throw Wrong("--marks must be locks or ascii.");
        var folder = parsed.GetValue(_directory) ?? Path.Combine(
            Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "relay-proxy",
            string.Concat(account.Select(c => char.IsLetterOrDigit(c) || c is '@' or '.' or '-' or '_' ? c : '_')));
        return new ProxyAccountOptions
        {
            Account = account, Protocol = protocol, Directory = Path.GetFullPath(folder), AsciiMarks = marks == "ascii",
            ReducesHtml = !parsed.GetValue(_keepHtml),
            Answers = parsed.GetValue(_answerAll) ? AnswerPolicy.Everybody : AnswerPolicy.Known,
            PrivateContacts = [.. (parsed.GetValue(_private) ?? []).Select(c => contact(c) ?? throw Wrong($"--private {c} is not the address of a contact."))],
        };
    }

    /// <summary>Imports or exports if that was asked for; true if it was.</summary>
    public bool HasMovedFiles(ParseResult parsed, ProxyAccountOptions account, Func<string, bool> isAccount, Func<string, string?> contact)
    {
        try
        {
            if (parsed.GetValue(_import) is { } source)
            {
                int count = AccountFiles.Import(account, source, isAccount, contact);
                Console.Out.WriteLine($"Imported the key and {count} fingerprint{(count == 1 ? "" : "s")} into {account.Directory}. Stop the other program: "
                    + "two with one instance tag disturb each other.");
                return true;
            }
            if (parsed.GetValue(_export) is not { } target) return false;
            AccountFiles.Export(account, target);
            Console.Out.WriteLine($"Exported to {target}: keep the folder as secret as the key in it.");
            return true;
        }
        catch (AccountDirectoryException e)
        {
            throw new CommandFailure(ExitCode.Failed, e.Message, inner: e);
        }
    }

    public static (string Host, int Port) HostAndPort(string text, int defaultPort, string option)
    {
        int colon = text.LastIndexOf(':');
        bool isBare = colon < 0 || text.EndsWith(']');
        var host = (isBare ? text : text[..colon]).Trim('[', ']');
        int port = defaultPort;
        if (host.Length == 0 || Uri.CheckHostName(host) == UriHostNameType.Unknown
            || !isBare && (!int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port) || port is < 1 or > 65535))
            throw Wrong($"{option} must be HOST or HOST:PORT.");
        return (host, port);
    }

    public static CommandFailure Wrong(string message) => new(ExitCode.Usage, message);

    /// <summary>The certificates in the PEM file of an option; null if it is not given.</summary>
    public static X509Certificate2Collection? Authorities(ParseResult parsed, Option<string?> option)
    {
        if (parsed.GetValue(option) is not { } file) return null;
        var authorities = new X509Certificate2Collection();
        try
        {
            authorities.ImportFromPemFile(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new CommandFailure(ExitCode.Usage, $"The file of {option.Name} cannot be read: {e.Message}", inner: e);
        }
        return authorities.Count > 0 ? authorities : throw Wrong($"The file of {option.Name} has no certificate.");
    }

    internal static string Read(string file, string option)
    {
        try
        {
            return File.ReadLines(file).FirstOrDefault() ?? "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Usage, $"The file of {option} cannot be read: {e.Message}", inner: e);
        }
    }
}
