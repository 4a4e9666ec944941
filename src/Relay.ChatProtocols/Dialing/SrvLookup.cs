using System.Net;
using System.Net.Sockets;
using DnsClient;

namespace Relay.ChatProtocols.Dialing;

/// <summary>A record SRV (RFC 2782): a server of a service. Lower priorities come first; of one priority, a server is taken as often as its weight says.</summary>
/// <param name="Target">Without the dot at its end; empty: the service does not exist.</param>
public readonly record struct SrvRecord(int Priority, int Weight, int Port, string Target);

/// <summary>Asks DNS for records SRV.</summary>
public sealed class SrvLookup
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(5);
    private static readonly Lazy<SrvLookup> s_system = new(() => new SrvLookup(new LookupClientOptions()));
    private readonly LookupClient _dns;

    /// <summary>Asks these servers.</summary>
    public SrvLookup(params IPEndPoint[] servers)
        : this(new LookupClientOptions([.. servers.Select(s => new NameServer(s))]))
    {
    }

    private SrvLookup(LookupClientOptions options)
    {
        options.Timeout = s_timeout;
        options.Retries = 1;
        _dns = new LookupClient(options);
    }

    /// <summary>The system's servers.</summary>
    public static SrvLookup System => s_system.Value;

    /// <summary>The records of a service, as <c>_xmpp-client._tcp.example.org</c>; none also if DNS does not answer.</summary>
    /// <exception cref="OperationCanceledException">The caller has given up.</exception>
    public async Task<IReadOnlyList<SrvRecord>> AskAsync(string service, CancellationToken cancellation)
    {
        try
        {
            var answer = await _dns.QueryAsync(service, QueryType.SRV, cancellationToken: cancellation);
            return [.. answer.Answers.SrvRecords().Select(r => new SrvRecord(r.Priority, r.Weight, r.Port, r.Target.Value.TrimEnd('.')))];
        }
        catch (Exception e) when (e is DnsResponseException or SocketException or IOException or ArgumentException or InvalidOperationException
            || e is OperationCanceledException && !cancellation.IsCancellationRequested)
        {
            return [];
        }
    }
}
