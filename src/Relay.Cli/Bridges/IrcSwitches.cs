using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Relay.Bridges.Irc;

namespace Relay.Cli.Bridges;

/// <summary>The switches of <c>relay bridge irc</c>, and what they must be. Each refusal names its switch.</summary>
internal sealed class IrcSwitches
{
    private const int MaxPasswordBytes = 400;
    private const int MaxNickBytes = 64;

    private readonly Option<string> _irc = new("--irc")
    {
        Description = "Address of the IRC server. Usual ports: 6697 with --tls, 6667 without.", HelpName = "HOST:PORT", Required = true,
    };
    private readonly Option<bool> _tls = new("--tls")
    {
        Description = "Connect with TLS, and verify that the certificate is valid for HOST.",
    };
    private readonly Option<string?> _authority = new("--irc-ca")
    {
        Description = "PEM file of the authorities that alone are trusted for the IRC server's certificate. Default: the system's.",
        HelpName = "FILE",
    };
    private readonly Option<string?> _pin = new("--pin")
    {
        Description = "SHA-256 of the IRC server's certificate in hexadecimal: this one is trusted, and no other.", HelpName = "HEX",
    };
    private readonly Option<bool> _cleartext = new("--allow-cleartext")
    {
        Description = "Permit a connection without TLS to another machine. All on the way then see who talks to whom, and the password.",
    };
    private readonly Option<string> _nick = new("--nick")
    {
        Description = "The nick: the account of the endpoint.", HelpName = "NICK", Required = true,
    };
    private readonly Option<string?> _sasl = new("--sasl-file")
    {
        Description = "File with ACCOUNT:PASSWORD in one line, for the login by SASL PLAIN.", HelpName = "FILE",
    };
    private readonly Option<string?> _nickServ = new("--nickserv-file")
    {
        Description = "File with ACCOUNT:PASSWORD in one line, for networks without SASL: told to --services-nick once the server has said "
            + "that it is a service.",
        HelpName = "FILE",
    };
    private readonly Option<string> _servicesNick = new("--services-nick")
    {
        Description = "The nick of the network's services.", HelpName = "NICK", DefaultValueFactory = _ => "NickServ",
    };
    private readonly Option<string?> _certificate = new("--client-certificate")
    {
        Description = "PEM file with a certificate and its key, shown to the server. Without --sasl-file the login is by SASL EXTERNAL.",
        HelpName = "FILE",
    };
    private readonly Option<string?> _password = new("--server-password-file")
    {
        Description = "File with the password of the IRC server itself (PASS).", HelpName = "FILE",
    };
    private readonly Option<string> _nickTaken = new("--nick-taken")
    {
        Description = "While another client has the nick: stop and try again after minutes, or wait under another nick, carrying nothing.",
        HelpName = "stop|wait", DefaultValueFactory = _ => "stop",
    };
    private readonly Option<string> _peers = new("--peers")
    {
        Description = "Know peers by their nick, or those that are logged in by their account (account:NAME).",
        HelpName = "nick|account", DefaultValueFactory = _ => "nick",
    };
    private readonly Option<string> _flood = new("--flood")
    {
        Description = "How fast lines leave: 5 at once and then one each 0.7 s, or one each 2 s as RFC 2813 counts.",
        HelpName = "default|strict", DefaultValueFactory = _ => "default",
    };
    private readonly Option<string[]> _channels = new("--join")
    {
        Description = "Channel to be in, because only who shares one with a contact sees its nick change; may be repeated.",
        HelpName = "CHANNEL",
    };
    private readonly Option<bool> _formatting = new("--keep-formatting")
    {
        Description = "Give bots the codes for colours and styles in texts in the clear.",
    };

    public IrcSwitches(Command command)
    {
        Option[] all =
        [
            _irc, _tls, _nick, _sasl, _nickServ, _servicesNick, _certificate, _authority, _pin, _cleartext, _password,
            _nickTaken, _peers, _channels, _flood, _formatting,
        ];
        foreach (var option in all) command.Options.Add(option);
    }

    /// <exception cref="CommandFailure">A value is not valid, or a file cannot be read.</exception>
    public IrcOptions Read(ParseResult parsed, string endpoint)
    {
        var (host, port) = Address(parsed.GetValue(_irc)!);
        var tls = parsed.GetValue(_tls);
        var sasl = parsed.GetValue(_sasl) is { } file ? Account(file, "--sasl-file") : null;
        var nickServ = parsed.GetValue(_nickServ) is { } services ? Account(services, "--nickserv-file") : null;
        if (sasl is not null && nickServ is not null) throw Wrong("--sasl-file and --nickserv-file are two ways to log in: give one.");
        if (nickServ is not null && (nickServ.Account + nickServ.Password).Contains(' ', StringComparison.Ordinal))
            throw Wrong("Services take no account or password with a blank. Change what is in the file of --nickserv-file.");
        var certificate = parsed.GetValue(_certificate) is { } own ? Certificate(own) : null;
        if (!tls && (certificate is not null || parsed.GetValue(_pin) is not null || parsed.GetValue(_authority) is not null))
            throw Wrong("--client-certificate, --pin and --irc-ca are about TLS: they need --tls.");
        if (tls && parsed.GetValue(_cleartext)) throw Wrong("--allow-cleartext permits a connection without TLS, and --tls asks for TLS.");
        return new IrcOptions
        {
            Endpoint = endpoint, Host = host, Port = port, Nick = Nick(parsed.GetValue(_nick)!, "--nick"), Tls = tls,
            AllowsCleartext = parsed.GetValue(_cleartext),
            CertificatePin = parsed.GetValue(_pin) is { } pin ? Pin(pin) : null,
            TrustedAuthorities = parsed.GetValue(_authority) is { } authority ? Authorities(authority) : null,
            ClientCertificate = certificate, Sasl = sasl, UsesExternal = certificate is not null && sasl is null && nickServ is null,
            NickServ = nickServ, ServicesNick = Nick(parsed.GetValue(_servicesNick)!, "--services-nick"),
            ServerPassword = parsed.GetValue(_password) is { } password ? Secret(password, "--server-password-file") : null,
            NickTaken = IsSecond(parsed, _nickTaken) ? NickTaken.Wait : NickTaken.Stop,
            Channels = [.. (parsed.GetValue(_channels) ?? []).Select(Channel)],
            PeersByAccount = IsSecond(parsed, _peers),
            Flood = IsSecond(parsed, _flood) ? FloodProfile.Strict : FloodProfile.Default,
            StripsFormatting = !parsed.GetValue(_formatting),
        };
    }

    /// <summary>True for the second of the two words in the option's help, false for the first.</summary>
    private static bool IsSecond(ParseResult parsed, Option<string> option)
    {
        var words = option.HelpName!.Split('|');
        var chosen = Array.IndexOf(words, parsed.GetValue(option));
        return chosen >= 0 ? chosen == 1 : throw Wrong($"{option.Name} must be {words[0]} or {words[1]}.");
    }

    private static (string Host, int Port) Address(string text)
    {
        var colon = text.LastIndexOf(':');
        var host = colon > 0 ? text[..colon] : "";
        if (host is ['[', .., ']']) host = host[1..^1];
        else if (host.Contains(':', StringComparison.Ordinal)) host = "";
        if (host.Length == 0 || Uri.CheckHostName(host) == UriHostNameType.Unknown
            || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            || port is < 1 or > 65_535)
            throw Wrong("--irc must have the form HOST:PORT, for example irc.example.org:6697 or [::1]:6667.");
        return (host, port);
    }

    private static string Nick(string nick, string option)
    {
        if (nick.Length == 0 || Encoding.UTF8.GetByteCount(nick) > MaxNickBytes || char.IsAsciiDigit(nick[0]) || nick[0] is '-' or ':'
            || nick.Any(c => char.IsControl(c) || c is ' ' or ',' or '*' or '?' or '!' or '@' or '#' or '&' or '$' or '/'))
            throw Wrong($"{option} must be a nick: no blanks, no digit or minus sign at the start, and none of , * ? ! @ # & $ /.");
        return nick;
    }

    private static string Channel(string channel) =>
        channel.Length is > 1 and < 200 && channel[0] is '#' or '&' or '+' or '!'
        && !channel.Any(c => char.IsControl(c) || c is ' ' or ',')
            ? channel : throw Wrong("--join must name a channel, such as #helpdesk.");

    private static string Pin(string pin)
    {
        var hex = pin.Replace(":", "", StringComparison.Ordinal);
        return hex.Length == 64 && hex.All(char.IsAsciiHexDigit) ? hex
            : throw Wrong("--pin must be the 64 hexadecimal digits of SHA-256, with or without colons: "
                + "openssl x509 -noout -fingerprint -sha256 -in CERTIFICATE");
    }

    private static SaslAccount Account(string file, string option)
    {
        var text = Secret(file, option);
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && colon + 1 < text.Length ? new SaslAccount(text[..colon], text[(colon + 1)..])
            : throw Wrong($"The file of {option} must have one line of the form ACCOUNT:PASSWORD.");
    }

    private static string Secret(string file, string option)
    {
        var text = Read(() => File.ReadAllText(file), option).TrimEnd('\r', '\n');
        return text.Length > 0 && Encoding.UTF8.GetByteCount(text) <= MaxPasswordBytes && !text.Any(c => c is '\r' or '\n' or '\0') ? text
            : throw Wrong($"The file of {option} must have one line of at most {MaxPasswordBytes} bytes.");
    }

    private static X509Certificate2 Certificate(string file)
    {
        const string Option = "--client-certificate";
        var certificate = Read(() => X509Certificate2.CreateFromPemFile(file), Option);
        return certificate.HasPrivateKey ? certificate : throw Wrong($"The file of {Option} has no private key.");
    }

    private static X509Certificate2Collection Authorities(string file)
    {
        var authorities = new X509Certificate2Collection();
        Read(() =>
        {
            authorities.ImportFromPemFile(file);
            return true;
        }, "--irc-ca");
        return authorities.Count > 0 ? authorities : throw Wrong("The file of --irc-ca has no certificate.");
    }

    private static T Read<T>(Func<T> read, string option)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new CommandFailure(ExitCode.Usage, $"The file of {option} cannot be read: {e.Message}", inner: e);
        }
    }

    private static CommandFailure Wrong(string message) => new(ExitCode.Usage, message);
}
