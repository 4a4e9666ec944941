using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Relay.Bridges.Irc;

/// <summary>
/// One endpoint on an IRC network: one connection under one nick. A server that asks for TLS (sts) or for another server (010) is followed
/// within bounds.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="random">Names connections, so that message ids of two connections differ.</param>
public sealed class IrcNetwork(IrcOptions options, TimeProvider time, Random random, ILogger? log = null) : IChatNetwork
{
    /// <summary>The longest wire text that every network carries in one line, whatever the bridge's own name and host.</summary>
    public const int MaxWireBytes = IrcLimits.TextBytesUnknownPrefix;

    private readonly ILogger _log = log ?? NullLogger.Instance;
    private volatile IrcSession? _session;
    private int? _securePort;

    /// <inheritdoc/>
    public async Task<ConnectionEnd> RunAsync(IBridgeInbox inbox, CancellationToken cancellation)
    {
        var address = new IrcAddress(options.Host, _securePort ?? options.Port, options.Tls || _securePort is not null);
        for (var redirects = 0; ; redirects++)
        {
            var (stream, failure) = await IrcConnection.OpenAsync(options, address, time, cancellation);
            if (stream is null) return failure!;
            IrcSession session;
            ConnectionEnd end;
            await using (stream)
            {
                session = _session = new IrcSession(options with { Tls = address.Tls }, stream, time, NextId(), _log);
                try
                {
                    end = await session.RunAsync(inbox, cancellation);
                }
                finally
                {
                    _session = null;
                }
            }
            if (redirects == IrcLimits.Redirects) return end;
            if (session.SecurePort is { } port)
            {
                // Remembered: a later connection must not fall back to cleartext.
                _securePort = port;
                address = new IrcAddress(options.Host, port, Tls: true);
            }
            // Without TLS nothing shows that the other server belongs to the network.
            else if (session.Redirect is { } to && (address.Tls || to.Host.Equals(address.Host, StringComparison.OrdinalIgnoreCase)))
                address = address with { Host = to.Host, Port = to.Port };
            else return end;
        }
    }

    /// <inheritdoc/>
    public Task<Carried> CarryAsync(OutboundText text, CancellationToken cancellation) =>
        _session is { } session && text.Endpoint == options.Endpoint
            ? session.CarryAsync(text, cancellation) : Task.FromResult(Carried.Unknown);

    private string NextId()
    {
        Span<byte> id = stackalloc byte[8];
        lock (random) random.NextBytes(id);
        return Convert.ToHexStringLower(id);
    }
}
