using System.Globalization;
using System.Text;

namespace Relay.ChatProtocols.Dialing;

/// <summary>The client's side of HTTP's method CONNECT (RFC 9110, 9.3.6).</summary>
internal static class HttpConnect
{
    /// <summary>Bytes of an answer's header; more is refused.</summary>
    private const int MaxHeaderBytes = 16 * 1024;

    /// <summary>Asks the proxy to connect; null if it has.</summary>
    /// <exception cref="IOException">The connection to the proxy is broken.</exception>
    public static async Task<DialFailure?> ConnectAsync(
        Stream stream, ProxyServer proxy, string host, int port, CancellationToken cancellation)
    {
        var target = $"{(host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host)}:{port.ToString(CultureInfo.InvariantCulture)}";
        if (target.Any(c => char.IsControl(c) || c == ' ')) return new DialFailure("The server's name is none.", IsPermanent: true);
        var credentials = proxy.User is null ? ""
            : $"Proxy-Authorization: Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{proxy.User}:{proxy.Password}"))}\r\n";
        await stream.WriteAsync(Encoding.UTF8.GetBytes($"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{credentials}\r\n"), cancellation);
        await stream.FlushAsync(cancellation);
        if (await ReadHeaderAsync(stream, cancellation) is not { } header)
            return new DialFailure($"The proxy {proxy} answers with a header of more than {MaxHeaderBytes} bytes.", IsPermanent: true);
        return Status(header) switch
        {
            // What follows is the server's: an answer of 2xx to CONNECT has no body.
            >= 200 and < 300 => null,
            403 => Refused("does not allow the connection (403)", isPermanent: true),
            407 => Refused(proxy.User is null ? "wants a user name and a password (407): name a file with --proxy-credentials"
                : "refuses the user name and password (407)", isPermanent: true),
            502 or 504 => Refused("could not connect", isPermanent: false),
            0 => new DialFailure($"What listens at {proxy} does not speak HTTP.", IsPermanent: true),
            var other => Refused($"answered {other}", isPermanent: false),
        };

        DialFailure Refused(string what, bool isPermanent) => new($"{target}: the proxy {proxy} {what}.", isPermanent);
    }

    /// <summary>Reads to the empty line and not a byte further; null if the header is too long.</summary>
    private static async Task<string?> ReadHeaderAsync(Stream stream, CancellationToken cancellation)
    {
        var header = new StringBuilder();
        var one = new byte[1];
        while (header.Length < MaxHeaderBytes)
        {
            await stream.ReadExactlyAsync(one, cancellation);
            header.Append((char)one[0]);
            if (one[0] == '\n' && EndsWithEmptyLine(header)) return header.ToString();
            if (header.Length == 5 && header.ToString() != "HTTP/") return header.ToString();
        }
        return null;
    }

    private static bool EndsWithEmptyLine(StringBuilder header) =>
        header.Length >= 2 && (header[^2] == '\n' || (header.Length >= 4 && header[^2] == '\r' && header[^3] == '\n'));

    /// <summary>The status code; 0 if the answer is not HTTP's.</summary>
    private static int Status(string header)
    {
        var words = header.Split(' ', 3);
        return header.StartsWith("HTTP/1.", StringComparison.Ordinal) && words.Length > 1
            && int.TryParse(words[1].AsSpan().TrimEnd(), NumberStyles.None, CultureInfo.InvariantCulture, out int code) ? code : 0;
    }
}
