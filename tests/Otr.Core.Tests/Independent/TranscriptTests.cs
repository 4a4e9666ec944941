using System.Diagnostics;
using System.Text;
using Otr.Core.Tests.Conversations;
using Otr.Core.Tests.Kit;

namespace Otr.Core.Tests.Independent;

/// <summary>
/// Seeded randomness fixes every byte of a conversation; a Python script that shares nothing with the core recomputes each
/// of them from the secrets that the seeds gave.
/// </summary>
public sealed class TranscriptTests
{
    private const string Python = "/usr/bin/python3";

    public static TheoryData<int> Seeds => [1, 2, 3];

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(Seeds))]
    public async Task Every_byte_is_what_the_specification_says(int seed)
    {
        Assert.SkipUnless(Missing() is null, Missing() ?? "");
        var (lines, dataMessages) = Transcript(seed);
        var output = await Verify(lines);
        Assert.StartsWith($"ok: key exchange, {dataMessages} data messages", output);
    }

    [Fact(Timeout = 120_000)]
    public async Task The_script_sees_a_single_wrong_bit()
    {
        Assert.SkipUnless(Missing() is null, Missing() ?? "");
        var (lines, _) = Transcript(1);
        for (var i = 0; i < lines.Count; i += 3)
        {
            // One bit of the last byte before the final "." of a message, which base64 keeps.
            if (!lines[i].StartsWith("wire ", StringComparison.Ordinal) || lines[i].StartsWith("wire query", StringComparison.Ordinal)) continue;
            var (name, hex) = (lines[i].Split(": ")[0], Convert.FromHexString(lines[i].Split(": ")[1]));
            var message = WireText.Decode(hex);
            message[^30] ^= 1;
            List<string> bent = [.. lines];
            bent[i] = $"{name}: {Convert.ToHexString(WireText.Encode(message))}";
            Assert.DoesNotContain("ok:", await Verify(bent));
        }
    }

    [Fact]
    public void A_seed_always_gives_the_same_bytes() => Assert.Equal(Transcript(1).Lines, Transcript(1).Lines);

    private static (List<string> Lines, int DataMessages) Transcript(int seed)
    {
        Recorder ra = new(seed), rb = new(seed + 1000);
        Party a = new(1, random: ra), b = new(2, random: rb);
        var lines = new List<string>();
        void Wire(string name, ReadOnlyMemory<byte> wire) => lines.Add($"wire {name}: {Convert.ToHexString(wire.Span)}");

        var query = a.Start().Wire().Single();
        var commit = b.Receive(query).Wire().Single();
        var key = a.Receive(commit).Wire().Single();
        var reveal = b.Receive(key).Wire().Single();
        var signature = a.Receive(reveal).Wire().Single();
        b.Receive(signature);
        foreach (var (name, wire) in new[] { ("query", query), ("commit", commit), ("key", key), ("reveal", reveal), ("signature", signature) }) Wire(name, wire);

        var random = new Random(seed);
        var messages = 0;
        for (var i = 0; i < 60; i++, messages++)
        {
            var fromA = random.Next(2) == 0;
            var (sender, receiver) = fromA ? (a, b) : (b, a);
            var text = new string((char)('a' + i % 26), random.Next(1, 300));
            var wire = sender.Send(text).Wire().Single();
            // One in ten is lost: what follows must not suffer.
            var isLost = random.Next(10) == 0;
            Wire($"{(fromA ? "a" : "b")} {(isLost ? "lost " : "")}{Convert.ToHexString(text.Utf8())}", wire);
            if (!isLost) receiver.Receive(wire);
            if (random.Next(10) == 0) receiver.Restore(receiver.Snapshot());
        }
        var extra = b.Step(new OtrInput.ExtraKeyRequested(1, new byte[2]));
        Wire("b extra", extra.Wire().Single());
        a.Receive(extra.Wire().Single());
        Wire("a end", a.End().Wire().Single());

        lines.Add($"ssid: {b.All.OfType<OtrEffect.SessionChanged>().First().Session.Ssid:x16}");
        lines.Add($"extra key: {Convert.ToHexString(extra.OfType<OtrEffect.ExtraKey>().Single().Key)}");
        lines.Add($"b r: {Convert.ToHexString(rb.Of(16).Single())}");
        foreach (var (who, party, recorder) in new[] { ("a", a, ra), ("b", b, rb) })
        {
            var pub = party.Account.Key.PublicKey;
            lines.Add($"{who} tag: {party.Account.InstanceTag:x8}");
            lines.Add($"{who} dh: {Convert.ToHexString(recorder.Of(40).SelectMany(d => d).ToArray())}");
            foreach (var (n, value) in new[] { ("p", pub.P), ("q", pub.Q), ("g", pub.G), ("y", pub.Y) }) lines.Add($"{who} dsa {n}: {Convert.ToHexString(value)}");
        }
        return (lines, messages + 2);
    }

    private static async Task<string> Verify(List<string> lines)
    {
        var cancellation = TestContext.Current.CancellationToken;
        using var python = Process.Start(new ProcessStartInfo(Python, [Path.Combine(AppContext.BaseDirectory, "Independent", "verify_transcript.py")])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        await python.StandardInput.WriteAsync(string.Join('\n', lines).AsMemory(), cancellation);
        python.StandardInput.Close();
        var output = python.StandardOutput.ReadToEndAsync(cancellation);
        var errors = python.StandardError.ReadToEndAsync(cancellation);
        await python.WaitForExitAsync(cancellation);
        return await output + await errors;
    }

    private static string? Missing()
    {
        if (!File.Exists(Python)) return "/usr/bin/python3 is missing (tests/setup/python.sh installs it)";
        using var probe = Process.Start(new ProcessStartInfo(Python, ["-c", "import Cryptodome.Cipher.AES"]) { RedirectStandardError = true })!;
        probe.StandardError.ReadToEnd();
        probe.WaitForExit();
        return probe.ExitCode == 0 ? null : "python3-pycryptodome is missing (tests/setup/python.sh installs it)";
    }

    /// <summary>Seeded bytes, and what was drawn: 40 bytes are a D-H exponent, 16 the Commit's r.</summary>
    private sealed class Recorder(int seed) : IRandomSource
    {
        private readonly SeededRandom _random = new(seed);
        private readonly List<byte[]> _drawn = [];

        public void Fill(Span<byte> destination)
        {
            _random.Fill(destination);
            _drawn.Add(destination.ToArray());
        }

        public IEnumerable<byte[]> Of(int length) => _drawn.Where(d => d.Length == length);
    }
}
