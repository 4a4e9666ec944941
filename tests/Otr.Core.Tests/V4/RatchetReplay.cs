using Otr.Core.Crypto;
using Otr.Core.Crypto.Ed448;
using Otr.Core.V4;
using Otr.Core.V4.Ratchet;
using Otr.Core.Wire;

namespace Otr.Core.Tests.V4;

/// <summary>A published session played again from its random draws: every data message bit for bit, every state after every step.</summary>
internal sealed class RatchetReplay
{
    private readonly Dictionary<string, DoubleRatchet> _ratchets = [];
    private readonly List<Vector> _steps;

    public RatchetReplay(string file) => _steps = [.. Vector.Of(file, "steps")];

    public int SentCount { get; private set; }
    public int ReceivedCount { get; private set; }
    public int RefusedCount { get; private set; }

    /// <summary>Plays all steps that the ratchet takes part in.</summary>
    public void Play()
    {
        foreach (var step in _steps)
        {
            if (step.Has("first_root_key")) Start(step);
            else if (step.Has("ratchet_id")) Send(step);
            else if (step.Has("in") && step.Text("in").StartsWith("?OTR:AAQD", StringComparison.Ordinal)) Receive(step);
            else continue;
            if (step.Part("after").Has("i")) CheckState(step);
        }
    }

    private void Start(Vector step)
    {
        string who = step.Text("who");
        Vector own = FirstKeysOf(name => name == who), other = FirstKeysOf(name => name != who);
        var ecdh = Ed448KeyPair.FromSeed(own.Bytes("first_ecdh_random"));
        var dh = Dh3072KeyPair.Restore(own.Bytes("first_dh_secret"));
        var theirDh = Padded(other.Bytes("first_dh_public"));
        var theirEcdh = other.Point("first_ecdh_public");
        var root = step.Bytes("first_root_key");
        // Whoever sends Auth-I draws for its ring signature first.
        _ratchets[who] = step.Has("randoms")
            ? DoubleRatchet.StartReceiving(root, ecdh, dh, theirEcdh, theirDh, new Draws(step.List("randoms")[7..]))
            : DoubleRatchet.StartSending(root, ecdh, dh, theirEcdh, theirDh);
    }

    private Vector FirstKeysOf(Func<string, bool> isWho) => _steps.Single(s => s.Has("first_ecdh_random") && isWho(s.Text("who")));

    private static byte[] Padded(ReadOnlySpan<byte> number) => [.. new byte[Group3072.ElementSize - number.Length], .. number];

    private void Send(Vector step)
    {
        var ratchet = _ratchets[step.Text("who")];
        var random = new Draws(step.Has("randoms") ? step.List("randoms") : []);
        using var keys = ratchet.Send(random, out var header, out var revealed);
        if (step.Text("do") == "expire") revealed = ratchet.TakeAllReveals();
        Assert.True(random.IsEmpty);
        Assert.Equal((uint)step.Number("ratchet_id"), header.RatchetId);
        Assert.Equal((uint)step.Number("message_id"), header.MessageId);
        Assert.Equal((uint)step.Number("pn"), header.PreviousCount);
        Assert.Equal(step.Bytes("MKenc"), keys.Encryption);
        Assert.Equal(step.Bytes("MKmac"), keys.Mac);
        Assert.Equal(step.Bytes("extra_symm_key"), keys.ExtraSymmetric);
        Assert.Equal(step.List("revealed"), revealed.Select(m => m.Span.ToArray()));

        var expected = Decode(step.Text("out"));
        var writer = new OtrWriter(1024);
        writer.Raw(expected.AsSpan(0, 11));
        writer.Byte((byte)step.Number("flags"));
        writer.UInt32(header.PreviousCount);
        writer.UInt32(header.RatchetId);
        writer.UInt32(header.MessageId);
        writer.Raw(header.Ecdh);
        writer.Mpi(header.Dh);
        var text = step.Bytes("plaintext");
        ChaCha20.Transform(keys.Encryption[..ChaCha20.KeySize], text, text);
        writer.Data(text);
        Span<byte> mac = stackalloc byte[64];
        Kdf.Derive(KdfUsage.Authenticator, mac, keys.Mac, writer.Written);
        writer.Raw(mac);
        writer.Data([.. revealed.SelectMany(m => m.Span.ToArray())]);
        Assert.Equal(expected, writer.ToArrayAndDispose());
        SentCount++;
    }

    private void Receive(Vector step)
    {
        var ratchet = _ratchets[step.Text("who")];
        byte[] message = Decode(step.Text("in")), dh = new byte[Group3072.ElementSize];
        var reader = new OtrReader(message);
        reader.ReadFixed(12);
        uint previous = reader.ReadUInt32(), id = reader.ReadUInt32(), number = reader.ReadUInt32();
        var ecdh = reader.ReadFixed(Ed448Point.Size);
        var mpi = reader.ReadMpi();
        mpi.CopyTo(dh.AsSpan(dh.Length - mpi.Length));
        var text = reader.ReadData().ToArray();
        int end = reader.Position;
        var mac = reader.ReadFixed(64);
        reader.ReadData();
        Assert.True(reader.IsComplete);

        var fault = ratchet.Open(new RatchetHeader(previous, id, number, ecdh, mpi.IsEmpty ? default : dh), out var candidate);
        using var disposed = candidate;
        Span<byte> computed = stackalloc byte[64];
        if (candidate is not null) Kdf.Derive(KdfUsage.Authenticator, computed, candidate.Keys.Mac, message.AsSpan(0, end));
        if (step.Has("refused"))
        {
            RatchetFault[] expected = step.Text("refused") switch
            {
                // The reference ignores a known ratchet's keys and lets the MAC decide; other keys are refused here at once (C8.8).
                "mac" => [RatchetFault.None, RatchetFault.OtherKeys],
                "no key" => [RatchetFault.NoKey],
                "dh presence" => [RatchetFault.DhPresence],
                _ => [RatchetFault.InvalidKey],
            };
            Assert.Contains(fault, expected);
            Assert.False(computed.SequenceEqual(mac));
            RefusedCount++;
            return;
        }
        Assert.NotNull(candidate);
        Assert.Equal(mac, computed);
        Assert.Equal(step.Text("key") == "stored", candidate.IsStored);
        ratchet.Commit(candidate, now: 0);
        ChaCha20.Transform(candidate.Keys.Encryption[..ChaCha20.KeySize], text, text);
        Assert.Equal(step.Bytes("plaintext"), text);
        ReceivedCount++;
    }

    private void CheckState(Vector step)
    {
        var ratchet = _ratchets[step.Text("who")];
        var after = step.Part("after");
        uint[] actual = [ratchet.Rotations, ratchet.PreviousCount, ratchet.Sent, ratchet.Received];
        Assert.Equal([.. new[] { "i", "pn", "j", "k" }.Select(name => (uint)after.Number(name))], actual);
        Assert.Equal(after.Bytes("root"), ratchet.Keys.Root);
        Assert.Equal(after.Bytes("chain_s"), ratchet.Keys.Sending);
        Assert.Equal(after.Bytes("chain_r"), ratchet.Keys.Receiving);
        Assert.Equal(after.Texts("stored").Order(), ratchet.Skipped.Select(s => $"{s.Ratchet}/{s.Message}").Order());
    }

    private static byte[] Decode(string wire) => Convert.FromBase64String(wire["?OTR:".Length..^1]);
}
