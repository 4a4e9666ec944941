using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Relay.ChatProtocols.Dialing;

/// <summary>The client's side of SOCKS 5 (RFC 1928) with user name and password (RFC 1929). Names are resolved by the proxy.</summary>
internal static class Socks5
{
    private const byte Version = 5, NoAuthentication = 0, UserAndPassword = 2, Connect = 1, IPv4 = 1, Name = 3, IPv6 = 4;
    private const byte SubnegotiationVersion = 1;
    private const int MaxNameBytes = 255;

    /// <summary>Asks the proxy to connect; null if it has.</summary>
    /// <exception cref="IOException">The connection to the proxy is broken.</exception>
    public static async Task<DialFailure?> ConnectAsync(
        Stream stream, ProxyServer proxy, string host, int port, CancellationToken cancellation)
    {
        byte[] methods = proxy.User is null ? [NoAuthentication] : [UserAndPassword];
        await stream.WriteAsync(new byte[] { Version, (byte)methods.Length }.Concat(methods).ToArray(), cancellation);
        var answer = new byte[4];
        await stream.ReadExactlyAsync(answer.AsMemory(0, 2), cancellation);
        if (answer[0] != Version) return Permanent($"What listens at {proxy} does not speak SOCKS 5.");
        if (answer[1] != methods[0])
        {
            return Permanent(proxy.User is null ? $"The proxy {proxy} wants a user name and a password: name a file with --proxy-credentials."
                : $"The proxy {proxy} takes no user name and password.");
        }
        if (proxy.User is not null && !await LogInAsync(stream, proxy, cancellation))
            return Permanent($"The proxy {proxy} refuses the user name and password.");
        if (Request(host, port) is not { } request) return Permanent("The server's name is too long for SOCKS 5.");
        await stream.WriteAsync(request, cancellation);
        await stream.ReadExactlyAsync(answer, cancellation);
        if (answer[0] != Version) return Permanent($"What listens at {proxy} does not speak SOCKS 5.");
        if (answer[1] != 0) return Refusal(answer[1], proxy, host, port);
        return await SkipBoundAddressAsync(stream, answer[3], cancellation) ? null
            : Permanent($"The proxy {proxy} answers with an address of an unknown kind.");
    }

    private static async Task<bool> LogInAsync(Stream stream, ProxyServer proxy, CancellationToken cancellation)
    {
        byte[] user = Encoding.UTF8.GetBytes(proxy.User!), password = Encoding.UTF8.GetBytes(proxy.Password ?? "");
        if (user.Length is 0 or > MaxNameBytes || password.Length > MaxNameBytes) return false;
        await stream.WriteAsync(
            new byte[] { SubnegotiationVersion, (byte)user.Length }.Concat(user).Append((byte)password.Length).Concat(password).ToArray(),
            cancellation);
        var answer = new byte[2];
        await stream.ReadExactlyAsync(answer, cancellation);
        return answer[1] == 0;
    }

    private static byte[]? Request(string host, int port)
    {
        byte[] address;
        if (IPAddress.TryParse(host, out var ip))
            address = [ip.AddressFamily == AddressFamily.InterNetwork ? IPv4 : IPv6, .. ip.GetAddressBytes()];
        else
        {
            var name = Encoding.UTF8.GetBytes(host);
            if (name.Length is 0 or > MaxNameBytes) return null;
            address = [Name, (byte)name.Length, .. name];
        }
        var request = new byte[3 + address.Length + 2];
        (request[0], request[1], request[2]) = (Version, Connect, 0);
        address.CopyTo(request, 3);
        BinaryPrimitives.WriteUInt16BigEndian(request.AsSpan(3 + address.Length), (ushort)port);
        return request;
    }

    private static async Task<bool> SkipBoundAddressAsync(Stream stream, byte kind, CancellationToken cancellation)
    {
        var length = new byte[1];
        if (kind == Name) await stream.ReadExactlyAsync(length, cancellation);
        int bytes = kind switch { IPv4 => 4, IPv6 => 16, Name => length[0], _ => -1 };
        if (bytes < 0) return false;
        await stream.ReadExactlyAsync(new byte[bytes + 2], cancellation);
        return true;
    }

    /// <summary>The reply codes of RFC 1928, section 6.</summary>
    private static DialFailure Refusal(byte code, ProxyServer proxy, string host, int port)
    {
        var what = code switch
        {
            1 => "the proxy failed (general failure)",
            2 => "its rules do not allow the connection",
            3 => "the network cannot be reached",
            4 => "the host cannot be reached, or its name is not known",
            5 => "the server refused the connection",
            6 => "the time to live expired",
            7 => "it does not support CONNECT",
            8 => "it does not support this kind of address",
            _ => $"unknown code {code}",
        };
        return new DialFailure($"The proxy {proxy} does not connect to {host}:{port}: {what}.", IsPermanent: code is 2 or 7 or 8);
    }

    private static DialFailure Permanent(string message) => new(message, IsPermanent: true);
}
