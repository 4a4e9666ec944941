using System.Globalization;
using System.Net;
using Relay.ChatProtocols.Dialing;

namespace Relay.ChatProtocols.Xmpp;

/// <summary>A server of a domain for clients.</summary>
/// <param name="DirectTls">It speaks TLS from the first byte.</param>
internal readonly record struct XmppServerAddress(string Host, int Port, bool DirectTls);

/// <summary>Finds the servers of a domain for clients by SRV records (RFC 6120, 3.2.1; XEP-0368).</summary>
internal static class XmppServers
{
    /// <summary>Servers that are tried, at most.</summary>
    private const int MaxServers = 6;

    /// <summary>A domain that is itself an address, or this machine, has no records.</summary>
    public static bool CanAsk(string domain) => !Dialer.IsLoopback(domain) && !IPAddress.TryParse(domain, out _)
        && !domain.EndsWith(".onion", StringComparison.OrdinalIgnoreCase) && !domain.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// The servers in the order in which to try them; the domain itself if DNS has no records; none if the domain says that it has no server.
    /// </summary>
    /// <param name="isDirectOnly">Only servers that speak TLS from the first byte.</param>
    public static async Task<IReadOnlyList<XmppServerAddress>> FindAsync(
        string domain, bool isDirectOnly, DialOptions dial, CancellationToken cancellation)
    {
        var name = new IdnMapping().GetAscii(domain);
        var direct = dial.ResolveServices($"_xmpps-client._tcp.{name}", cancellation);
        var starttls = isDirectOnly ? null : dial.ResolveServices($"_xmpp-client._tcp.{name}", cancellation);
        List<(SrvRecord Record, bool IsDirect)> found = [.. (await direct).Select(r => (r, true))];
        if (starttls is not null) found.AddRange((await starttls).Select(r => (r, false)));
        if (found.Count == 0)
            return [new XmppServerAddress(domain, isDirectOnly ? XmppLogin.DefaultDirectTlsPort : XmppLogin.DefaultPort, isDirectOnly)];
        return [.. Ordered(found.Where(f => f.Record.Target.Length > 0 && f.Record.Port > 0), dial.Random).Take(MaxServers)];
    }

    /// <summary>By priority, and within one by lot according to weight (RFC 2782).</summary>
    private static IEnumerable<XmppServerAddress> Ordered(IEnumerable<(SrvRecord Record, bool IsDirect)> found, Random random)
    {
        foreach (var group in found.GroupBy(f => f.Record.Priority).OrderBy(g => g.Key))
        {
            // Those of weight 0 first, so that they have a chance at all.
            var left = group.OrderBy(f => f.Record.Weight > 0).ToList();
            while (left.Count > 0)
            {
                int lot = random.Next(left.Sum(f => f.Record.Weight) + 1), sum = 0;
                int at = left.FindIndex(f => (sum += f.Record.Weight) >= lot);
                yield return new XmppServerAddress(left[at].Record.Target, left[at].Record.Port, left[at].IsDirect);
                left.RemoveAt(at);
            }
        }
    }
}
