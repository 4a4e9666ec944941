using System.Diagnostics;
using System.Globalization;
using Otr.Core.Smp;

namespace Otr.Core.Tests.Smp;

/// <summary>python3-potr's SMP in a process of its own: an implementation that shares nothing with ours.</summary>
internal sealed class PotrSmpPeer : IDisposable
{
    private const string Python = "/usr/bin/python3";
    private readonly Process _process;

    public PotrSmpPeer(Fingerprint own, Fingerprint peer, ulong ssid)
    {
        _process = Process.Start(new ProcessStartInfo(Python,
            [Path.Combine(AppContext.BaseDirectory, "Smp", "potr_smp_peer.py"), own.ToHex(), peer.ToHex(), ssid.ToString("x16", CultureInfo.InvariantCulture)])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
    }

    private static readonly Lazy<string?> Probed = new(Probe);

    /// <summary>Why potr cannot be used here, or null.</summary>
    public static string? Missing => Probed.Value;

    private static string? Probe()
    {
        if (!File.Exists(Python)) return "/usr/bin/python3 is missing (tests/setup/libotr.sh installs it)";
        using var probe = Process.Start(new ProcessStartInfo(Python, ["-c", "import potr"]) { RedirectStandardError = true })!;
        probe.StandardError.ReadToEnd();
        probe.WaitForExit();
        return probe.ExitCode == 0 ? null : "python3-potr is missing (tests/setup/libotr.sh installs it)";
    }

    public async Task<(SmpTlv? Sent, int Progress)> Do(string command, CancellationToken cancellation)
    {
        await _process.StandardInput.WriteLineAsync(command.AsMemory(), cancellation);
        await _process.StandardInput.FlushAsync(cancellation);
        SmpTlv? sent = null;
        while (await _process.StandardOutput.ReadLineAsync(cancellation) is { } line)
        {
            var words = line.Split(' ');
            if (words[0] == "state") return (sent, int.Parse(words[2], CultureInfo.InvariantCulture));
            sent = new SmpTlv(ushort.Parse(words[1], CultureInfo.InvariantCulture), words[2] == "-" ? [] : Convert.FromHexString(words[2]));
        }
        throw new InvalidOperationException("potr ended: " + await _process.StandardError.ReadToEndAsync(cancellation));
    }

    public Task<(SmpTlv? Sent, int Progress)> Take(SmpTlv tlv, CancellationToken cancellation) =>
        Do($"tlv {tlv.Type} {(tlv.Value.Length == 0 ? "-" : Convert.ToHexString(tlv.Value))}", cancellation);

    public void Dispose()
    {
        _process.StandardInput.Close();
        if (!_process.WaitForExit(5_000)) _process.Kill();
        _process.Dispose();
    }
}
