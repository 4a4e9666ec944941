using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;

namespace Relay.Chaos.Tests.Partition;

/// <summary>
/// A network of its own with one cable to this machine's: a network namespace and a pair of virtual interfaces. Cut, it
/// loses every packet without telling anybody, as a network does; its firewall rules are its own and touch nobody else.
/// </summary>
internal sealed class NetworkNamespace : IAsyncDisposable
{
    private const int Attempts = 8;
    private readonly string _name, _inside;

    private NetworkNamespace(string name, string inside, int subnet)
    {
        (_name, _inside) = (name, inside);
        OutsideAddress = IPAddress.Parse(string.Create(CultureInfo.InvariantCulture, $"10.213.{subnet}.1"));
        InsideAddress = IPAddress.Parse(string.Create(CultureInfo.InvariantCulture, $"10.213.{subnet}.2"));
        Network = string.Create(CultureInfo.InvariantCulture, $"10.213.{subnet}.0/30");
    }

    /// <summary>This machine's end of the cable.</summary>
    public IPAddress OutsideAddress { get; }

    /// <summary>The namespace's end.</summary>
    public IPAddress InsideAddress { get; }

    /// <summary>Both, in CIDR form.</summary>
    public string Network { get; }

    /// <summary>Put before a command to run it inside.</summary>
    public IReadOnlyList<string> Enter => ["ip", "netns", "exec", _name];

    /// <summary>Makes one.</summary>
    /// <returns>Null where that is not permitted or not installed, with the reason.</returns>
    public static async Task<(NetworkNamespace? Made, string Reason)> TryCreateAsync()
    {
        var reason = "";
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            int subnet = Random.Shared.Next(256);
            var id = string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId:x}{subnet:x2}");
            var made = new NetworkNamespace("relay-" + id, "ri" + id, subnet);
            if (IsTaken(made.OutsideAddress)) continue;
            if (await made.MakeAsync("ro" + id) is not { } problem) return (made, "");
            reason = problem;
            await made.DisposeAsync();
        }
        return (null, $"A network namespace with iptables cannot be made here: {reason}");
    }

    /// <summary>From now on every packet through the cable is lost.</summary>
    public async Task CutAsync()
    {
        await Command.RunAsync([.. Enter, "iptables", "-A", "INPUT", "-i", _inside, "-j", "DROP"]);
        await Command.RunAsync([.. Enter, "iptables", "-A", "OUTPUT", "-o", _inside, "-j", "DROP"]);
    }

    /// <summary>The cable is whole again.</summary>
    public Task HealAsync() => Command.RunAsync([.. Enter, "iptables", "-F"]);

    /// <summary>The cable goes with the namespace.</summary>
    public async ValueTask DisposeAsync() => await Command.TryAsync("ip", "netns", "delete", _name);

    private async Task<string?> MakeAsync(string outside)
    {
        string[][] commands =
        [
            ["ip", "netns", "add", _name],
            ["ip", "link", "add", outside, "type", "veth", "peer", "name", _inside, "netns", _name],
            ["ip", "address", "add", OutsideAddress + "/30", "dev", outside],
            ["ip", "link", "set", outside, "up"],
            [.. Enter, "ip", "link", "set", "lo", "up"],
            [.. Enter, "ip", "address", "add", InsideAddress + "/30", "dev", _inside],
            [.. Enter, "ip", "link", "set", _inside, "up"],
            [.. Enter, "iptables", "-F"],
        ];
        foreach (var command in commands)
        {
            if (await Command.TryAsync(command) is { } problem) return problem;
        }
        return null;
    }

    private static bool IsTaken(IPAddress address) =>
        NetworkInterface.GetAllNetworkInterfaces().SelectMany(i => i.GetIPProperties().UnicastAddresses).Any(a => a.Address.Equals(address));
}
