using System.Net;
using System.Net.Sockets;

namespace Relay.Gateway.Webhooks;

/// <summary>
/// The addresses that a webhook may be sent to: public ones, and networks that the operator allows. Whoever may create a subscription must
/// not be able to make the server call what only the server can reach.
/// </summary>
/// <param name="allowed">Networks of the operator's own, such as 10.1.0.0/16.</param>
public sealed class WebhookNetworks(IReadOnlyList<IPNetwork> allowed)
{
    // IANA's special-purpose registries: private, loopback, link-local, shared, documentation, benchmarking, multicast, reserved.
    private static readonly IPNetwork[] s_special =
    [
        .. "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24".Split(' ')
            .Select(n => IPNetwork.Parse(n)),
        .. "192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4".Split(' ')
            .Select(n => IPNetwork.Parse(n)),
    ];

    // Of IPv6 only global unicast is public, without what leads to IPv4 or is reserved.
    private static readonly IPNetwork s_globalUnicast = IPNetwork.Parse("2000::/3");

    private static readonly IPNetwork[] s_special6 =
        [.. "2001::/23 2001:db8::/32 2002::/16 3fff::/20".Split(' ').Select(n => IPNetwork.Parse(n))];

    /// <summary>Whether an address is of a network that the operator allows, where http without TLS is allowed, too.</summary>
    public bool IsAllowed(IPAddress address)
    {
        var plain = Plain(address);
        return allowed.Any(n => n.Contains(plain));
    }

    /// <summary>Whether a webhook may be sent to an address.</summary>
    public bool MayConnect(IPAddress address)
    {
        var plain = Plain(address);
        if (IsAllowed(plain)) return true;
        return plain.AddressFamily switch
        {
            AddressFamily.InterNetwork => !s_special.Any(n => n.Contains(plain)),
            AddressFamily.InterNetworkV6 => s_globalUnicast.Contains(plain) && !s_special6.Any(n => n.Contains(plain)),
            _ => false,
        };
    }

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
