using System.Diagnostics;
using System.Text.Json;
using Otr.Core;

namespace Interop.Tests;

/// <summary>
/// A whole conversation of Otr.Core, recomputed by a program of its own in Python (hashlib, hmac, pow) from the random
/// bytes that were drawn and the messages that were sent.
/// </summary>
public sealed class TranscriptTests
{
    [Fact]
    public async Task AnIndependentComputationAgrees()
    {
        Peers.PotrOrSkip(); // whose package brings the AES that the checker uses
        RecordingRandom left = new(), right = new();
        await using var network = new Network(new InProcessPeer("alice", left), new InProcessPeer("bob", right));
        var fingerprints = new[] { await FingerprintAsync(network.A), await FingerprintAsync(network.B) };
        left.Drawn.SetLength(0); // what made the keys is of no interest, and long
        right.Drawn.SetLength(0);

        var wire = new List<object>();
        var said = new List<object[]>();
        await network.A.DoAsync("start");
        await CarryAsync(network, wire);
        for (var n = 0; n < 12; n++)
        {
            var from = n % 3 == 2 ? network.A : network.B;
            var text = $"message {n}, wörtlich";
            said.Add([from == network.A ? 0 : 1, text]);
            await from.SendAsync(text);
            await CarryAsync(network, wire);
        }
        await network.B.DoAsync("end");
        await CarryAsync(network, wire);

        var transcript = JsonSerializer.Serialize(new
        {
            parties = new[] { Party(left, fingerprints[0]), Party(right, fingerprints[1]) },
            wire,
        });
        var (code, output, complaints) = await RunAsync(transcript);
        Assert.True(code == 0, complaints);
        using var result = JsonDocument.Parse(output);
        Assert.Equal(2, result.RootElement.GetProperty("signatures").GetInt32());
        Assert.Equal(JsonSerializer.Serialize(said), JsonSerializer.Serialize(result.RootElement.GetProperty("texts")));
        Assert.Equal(network.A.Events.First(e => e.Kind == "state" && e["state"] == "ENCRYPTED")["ssid"], result.RootElement.GetProperty("ssid").GetString());

        // And the checker does check: with another fingerprint it finds the disagreement.
        var damaged = transcript.Replace(fingerprints[0], fingerprints[1], StringComparison.Ordinal);
        Assert.NotEqual(0, (await RunAsync(damaged)).Code);
    }

    private static object Party(RecordingRandom random, string fingerprint) => new { random = Convert.ToHexStringLower(random.Drawn.ToArray()), fingerprint };

    private static async Task CarryAsync(Network network, List<object> wire)
    {
        while (network.A.Outbox.Count + network.B.Outbox.Count > 0)
        {
            var from = network.A.Outbox.Count > 0 ? network.A : network.B;
            wire.Add(new { from = from == network.A ? 0 : 1, data = Convert.ToBase64String(from.Outbox.Peek()) });
            await network.DeliverAsync(from);
        }
    }

    private static async Task<string> FingerprintAsync(Peer peer) => (await peer.DoAsync("fingerprint")).Events[0]["hex"]!;

    private static async Task<(int Code, string Output, string Complaints)> RunAsync(string transcript)
    {
        using var checker = Process.Start(new ProcessStartInfo("/usr/bin/python3", [Path.Combine(AppContext.BaseDirectory, "peers", "verify-transcript.py")])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        var output = checker.StandardOutput.ReadToEndAsync();
        var complaints = checker.StandardError.ReadToEndAsync();
        await checker.StandardInput.WriteAsync(transcript);
        checker.StandardInput.Close();
        await checker.WaitForExitAsync();
        return (checker.ExitCode, await output, await complaints);
    }

    private sealed class RecordingRandom : IRandomSource
    {
        public MemoryStream Drawn { get; } = new();

        public void Fill(Span<byte> destination)
        {
            SystemRandom.Instance.Fill(destination);
            Drawn.Write(destination);
        }
    }
}
