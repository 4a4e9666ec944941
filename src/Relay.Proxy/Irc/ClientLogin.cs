using System.Security.Cryptography;
using System.Text;

namespace Relay.Proxy.Irc;

/// <summary>What is done with a line of a client that is not let in yet.</summary>
internal abstract record LoginStep
{
    /// <summary>It is kept for later, or was for the proxy.</summary>
    public sealed record Wait : LoginStep;

    /// <summary>A question about capabilities, where clients need no password: it may go to the network.</summary>
    public sealed record Capabilities : LoginStep;

    /// <summary>A part of the negotiation that some programs go through before they send a password: the proxy answers it.</summary>
    public sealed record Answered(IReadOnlyList<string> Lines) : LoginStep
    {
        /// <summary>Prints the type only.</summary>
        public override string ToString() => nameof(Answered);
    }

    /// <summary>The client is let in; <see cref="ClientLogin.TakeHeld"/> gives its lines.</summary>
    public sealed record Admitted : LoginStep;

    /// <summary>The client goes.</summary>
    public sealed record Ended : LoginStep;

    /// <summary>The client is sent away.</summary>
    public sealed record Refused(string Numeric, string Reason) : LoginStep;
}

/// <summary>
/// The beginning of a client's connection, up to its nick. With a password of the proxy, nothing is done at the network before the client has
/// shown it and named the account: otherwise every user of the machine could make the proxy log in. It does no I/O.
/// </summary>
internal sealed class ClientLogin(IrcProxyOptions options)
{
    private readonly List<RawLine> _held = [];
    private bool _knowsPassword = options.ClientPassword is null;

    /// <summary>Read from other threads, too.</summary>
    public bool IsAdmitted { get; private set; }

    /// <summary>What the client has negotiated with the proxy; null: nothing.</summary>
    public EarlyNegotiation? Early { get; private set; }

    public LoginStep Take(RawLine raw)
    {
        var line = raw.Line;
        switch (line.Command)
        {
            case "PASS" when options.ClientPassword is { } password:
                _knowsPassword = CryptographicOperations.FixedTimeEquals(Hash(line.Param(0)), Hash(password));
                return new LoginStep.Wait();
            case "CAP" when options.ClientPassword is null && !line.Param(0).Equals("END", StringComparison.OrdinalIgnoreCase):
                return new LoginStep.Capabilities();
            case "CAP" or "AUTHENTICATE" when options.ClientPassword is not null:
                Early ??= new EarlyNegotiation(offersLogin: options.AccountCertificate is null);
                return new LoginStep.Answered(Early.Answer(line));
            case "QUIT":
                return new LoginStep.Ended();
            case "NICK" when !_knowsPassword:
                return new LoginStep.Refused("464", "The password is missing or wrong. Set your program's server password to the one in the file that the "
                    + "proxy names at its start.");
            case "NICK" when !CaseMapping.Rfc1459.Equals(line.Param(0), options.Nick):
                return new LoginStep.Refused("432", $"This proxy serves the nick {options.Nick} only: with another one, contacts would see one key under "
                    + "two names.");
            case "NICK":
                IsAdmitted = true;
                _held.Add(raw);
                return new LoginStep.Admitted();
        }
        if (_held.Count == ProxyLimits.IrcLoginLines) return new LoginStep.Refused("451", "NICK is missing.");
        _held.Add(raw);
        return new LoginStep.Wait();
    }

    /// <summary>The lines that were kept, in order, for the session to handle.</summary>
    public IReadOnlyList<RawLine> TakeHeld()
    {
        RawLine[] held = [.. _held];
        _held.Clear();
        return held;
    }

    /// <summary>Tells a client why there is no connection.</summary>
    public static string Error(string reason) => $"ERROR :OTR proxy: {IrcText.Clean(reason)}";

    /// <summary>Equal lengths for the comparison.</summary>
    private static byte[] Hash(string password) => SHA256.HashData(Encoding.UTF8.GetBytes(password));
}
