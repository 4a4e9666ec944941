using System.Net;
using System.Net.Sockets;

namespace Relay.Gateway.Auth;

/// <summary>By what callers without a key are told apart where they are limited.</summary>
internal static class CallerNetwork
{
    private const int PrefixBytes = 8;

    /// <summary>The address; of IPv6 the network of 64 bits, because a host has as many addresses in it as it likes.</summary>
    public static IPAddress Of(IPAddress? address)
    {
        if (address is null) return IPAddress.None;
        if (address.IsIPv4MappedToIPv6) return address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return address;
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(PrefixBytes).Clear();
        return new IPAddress(bytes);
    }
}
