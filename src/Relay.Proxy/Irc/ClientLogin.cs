using System.Security.Cryptography;
using System.Text;

namespace Relay.Proxy.Irc;

/// <summary>
/// The beginning of a client's connection, up to its nick: nothing goes to the network before the client has shown the proxy's password and
/// named the account.
/// </summary>
internal sealed class ClientLogin(IrcProxyOptions options, Stream stream)
{
    private readonly List<RawLine> _lines = [];
    private bool _knowsPassword = options.ClientPassword is null;

    public IrcLineReader Reader { get; } = new(stream);

    /// <summary>What the client has sent so far, without the proxy's password, for the session to handle.</summary>
    public IReadOnlyList<RawLine> Lines => _lines;

    /// <summary>Reads the lines up to the nick.</summary>
    /// <returns>True if the client is let in; otherwise it was told why.</returns>
    /// <exception cref="IOException">The connection is broken.</exception>
    public async Task<bool> RunAsync(CancellationToken cancellation)
    {
        while (await Reader.ReadAsync(cancellation) is { } line)
        {
            var raw = new RawLine(Reader.Bytes.ToArray(), line);
            if (!raw.IsSound) continue;
            switch (line.Command)
            {
                case "PASS" when options.ClientPassword is { } password:
                    _knowsPassword = CryptographicOperations.FixedTimeEquals(Hash(line.Param(0)), Hash(password));
                    continue;
                case "PING":
                    await WriteAsync($":{ServiceNick.Host} PONG {ServiceNick.Host} :{IrcText.Clean(line.Text)}", cancellation);
                    continue;
                case "QUIT":
                    return false;
                case "NICK" when !_knowsPassword:
                    return await RefuseAsync("464", "The password is missing or wrong. Set the password of your program's server entry to the one that the "
                        + "proxy names at its start", cancellation);
                case "NICK" when !CaseMapping.Rfc1459.Equals(line.Param(0), options.Nick):
                    return await RefuseAsync("432", $"This proxy serves the nick {options.Nick} only: with another one, contacts would see one key under "
                        + "two names", cancellation);
            }
            if (_lines.Count == ProxyLimits.IrcLoginLines) return await RefuseAsync("451", "NICK is missing", cancellation);
            _lines.Add(raw);
            if (line.Command == "NICK") return true;
        }
        return false;
    }

    /// <summary>Tells the client why there is no connection.</summary>
    public Task FailAsync(string reason, CancellationToken cancellation) => WriteAsync($"ERROR :OTR proxy: {IrcText.Clean(reason)}", cancellation);

    private async Task<bool> RefuseAsync(string numeric, string reason, CancellationToken cancellation)
    {
        await WriteAsync($":{ServiceNick.Host} {numeric} * :{reason}.", cancellation);
        await FailAsync(reason + ".", cancellation);
        return false;
    }

    /// <summary>Equal lengths for the comparison.</summary>
    private static byte[] Hash(string password) => SHA256.HashData(Encoding.UTF8.GetBytes(password));

    private async Task WriteAsync(string line, CancellationToken cancellation)
    {
        await stream.WriteAsync(Encoding.UTF8.GetBytes(line + "\r\n"), cancellation);
        await stream.FlushAsync(cancellation);
    }
}
