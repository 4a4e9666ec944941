using System.Text;

namespace Relay.Actors;

/// <summary>What the gateway has checked before; here it is a bug.</summary>
internal static class Limits
{
    public static void RequestId(string id)
    {
        if (Encoding.UTF8.GetByteCount(id) is 0 or > RelayLimits.MaxRequestIdBytes)
            throw new ArgumentException($"A request id has 1 to {RelayLimits.MaxRequestIdBytes} bytes.", nameof(id));
    }

    public static void Address(string address)
    {
        if (Encoding.UTF8.GetByteCount(address) is 0 or > RelayLimits.MaxAddressBytes)
            throw new ArgumentException($"An address has 1 to {RelayLimits.MaxAddressBytes} bytes.", nameof(address));
    }
}
