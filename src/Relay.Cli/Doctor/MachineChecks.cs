using System.Net;
using System.Net.NetworkInformation;
using System.Runtime.InteropServices;
using Otr.Core;

namespace Relay.Cli.Doctor;

/// <summary>Checks the machine: runtime, processor, disk space and ports.</summary>
internal static class MachineChecks
{
    private const long LowSpace = 1L << 30;

    public static IEnumerable<Finding> Run(string directory, IReadOnlyList<Uri> servers)
    {
        yield return new("runtime", Verdict.Ok,
            $"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.OSDescription}, {Environment.ProcessorCount} cores");
        yield return OtrKernel.Name == "portable"
            ? new("kernel", Verdict.Warning, "portable: a key exchange takes about four times as long",
                "Use a processor with AVX2 or AVX-512.")
            : new("kernel", Verdict.Ok, OtrKernel.Name);
        yield return Space(directory);
        // A port of another machine is not seen from here; whether its server answers is a check of its own.
        foreach (var server in servers.Where(s => s.IsLoopback)) yield return Port(server);
    }

    private static Finding Space(string directory)
    {
        var existing = directory;
        while (!Directory.Exists(existing)) existing = Path.GetDirectoryName(existing) ?? Path.GetPathRoot(directory)!;
        var free = new DriveInfo(existing).AvailableFreeSpace;
        return free < LowSpace
            ? new("disk space", Verdict.Warning, $"{free >> 20} MiB are free.", "Free some space: a full disk stops every conversation.")
            : new("disk space", Verdict.Ok, $"{free >> 30} GiB free");
    }

    private static Finding Port(Uri server)
    {
        bool taken = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners()
            .Any(l => l.Port == server.Port
                && (IPAddress.IsLoopback(l.Address) || l.Address.Equals(IPAddress.Any) || l.Address.Equals(IPAddress.IPv6Any)));
        return new("port", Verdict.Ok, taken ? $"{server.Port}: in use" : $"{server.Port}: free");
    }
}
