using Otr.Core.Tests.Conversations;
using Otr.Core.Tests.Kit;
using Otr.Core.Tests.V4;
using Otr.Core.Wire;

namespace Otr.Core.Tests.Properties;

/// <summary>What the adversary, or a party, does next.</summary>
public enum Move
{
    ASends, BSends, AStarts, BStarts, AEnds, BEnds, ASmp, BSmp, AAnswersSmp, BAnswersSmp, AExtraKey, BExtraKey,
    DeliverToA, DeliverToB, DropToA, DropToB, RepeatToA, RepeatToB, ReorderToA, ReorderToB,
    TruncateToA, TruncateToB, FlipToA, FlipToB, ReplayToA, ReplayToB, ReplayExchangeToA, ReplayExchangeToB,
    RetagExchangeToA, RetagExchangeToB, ReflectToA, ReflectToB,
    RestartA, RestartB, TimePasses, MuchTimePasses,
}

/// <summary>
/// Two parties, the network between them in the hands of an adversary, and a checker that knows what must never happen.
/// A restart loses nothing that was durable: the snapshot of the moment, as state goes before wire.
/// </summary>
internal sealed class World
{
    private readonly Side _a, _b;
    private readonly Random _random;
    private readonly bool _sameSecret, _isFourth;
    private int _sent;

    /// <param name="isFourth">They speak version 4.</param>
    public World(int seed, bool isFourth = false)
    {
        _isFourth = isFourth;
        _random = new Random(seed);
        _sameSecret = seed % 2 == 0;
        var settings = new OtrSettings { Policy = OtrPolicy.AllowV3 | OtrPolicy.RequireEncryption | OtrPolicy.ErrorStartAke, MaxWireBytes = seed % 3 == 0 ? 300 : 0 };
        if (isFourth)
        {
            OtrSettings Change(OtrSettings s) =>
                s with { Policy = settings.Policy & ~OtrPolicy.AllowV3, MaxWireBytes = settings.MaxWireBytes };
            _a = new Side(Party4.New(1, 2, Change, random: 4 * seed + 1));
            _b = new Side(Party4.New(2, 1, Change, random: 4 * seed + 2));
            return;
        }
        _a = new Side(new Party(4 * seed + 1, settings, tag: 0x1001));
        _b = new Side(new Party(4 * seed + 2, settings, tag: 0x1002));
    }

    private sealed class Side(Party party)
    {
        public Party Party { get; } = party;
        /// <summary>On the way to this side.</summary>
        public List<byte[]> Inbox { get; } = [];
        /// <summary>All that was ever on the way to it.</summary>
        public List<byte[]> Recorded { get; } = [];
        /// <summary>Texts given to this side to send.</summary>
        public HashSet<string> Sent { get; } = [];
        public HashSet<string> Received { get; } = [];
        /// <summary>Sender key, recipient key, counter and what is encrypted under them, of every data message sent.</summary>
        public Dictionary<string, string> Streams { get; } = [];
        /// <summary>Something bent was brought to it, which may lie in its fragment buffers.</summary>
        public bool WasForgedTo { get; set; }
        public int Ended { get; set; }
        public int SmpRuns { get; set; }
        public string? Pieces { get; set; }
    }

    public void Do(Move move)
    {
        var toA = move.ToString().EndsWith('A') || move.ToString().StartsWith('A');
        Side side = toA ? _a : _b, other = toA ? _b : _a;
        switch (move)
        {
            case Move.ASends or Move.BSends:
                var text = $"text {_sent++} of {(toA ? "a" : "b")}" + new string('.', _random.Next(200));
                side.Sent.Add(text);
                Step(side, other, new OtrInput.SendRequested(text.Utf8()));
                break;
            case Move.AStarts or Move.BStarts: Step(side, other, new OtrInput.StartRequested()); break;
            case Move.AEnds or Move.BEnds:
                side.Ended++;
                Step(side, other, new OtrInput.EndRequested());
                break;
            case Move.ASmp or Move.BSmp:
                side.SmpRuns++;
                Step(side, other, new OtrInput.SmpStartRequested(Secret(side)));
                break;
            case Move.AAnswersSmp or Move.BAnswersSmp:
                if (side.Party.All.OfType<OtrEffect.SmpAnswerNeeded>().LastOrDefault() is { } request) Step(side, other, new OtrInput.SmpAnswerRequested(request.Token, Secret(side)));
                break;
            case Move.AExtraKey or Move.BExtraKey: Step(side, other, new OtrInput.ExtraKeyRequested(1, default)); break;
            case Move.DeliverToA or Move.DeliverToB: Deliver(side, other, Take(side, 0)); break;
            case Move.DropToA or Move.DropToB: Take(side, 0); break;
            case Move.RepeatToA or Move.RepeatToB:
                var repeated = Take(side, 0);
                Deliver(side, other, repeated);
                Deliver(side, other, repeated);
                break;
            case Move.ReorderToA or Move.ReorderToB: Deliver(side, other, Take(side, _random.Next(4))); break;
            case Move.TruncateToA or Move.TruncateToB:
                if (Take(side, 0) is { } cut) Deliver(side, other, cut[.._random.Next(cut.Length)], isForged: true);
                break;
            case Move.FlipToA or Move.FlipToB:
                if (Take(side, 0) is { } bent)
                {
                    bent = (byte[])bent.Clone();
                    bent[_random.Next(bent.Length)] ^= (byte)(1 << _random.Next(8));
                    Deliver(side, other, bent, isForged: true);
                }
                break;
            case Move.ReplayToA or Move.ReplayToB:
                if (side.Recorded.Count > 0) Deliver(side, other, side.Recorded[_random.Next(side.Recorded.Count)]);
                break;
            case Move.ReplayExchangeToA or Move.ReplayExchangeToB:
                foreach (var wire in Exchange(side)) Deliver(side, other, wire);
                break;
            case Move.RetagExchangeToA or Move.RetagExchangeToB:
                // Instance tags are not authenticated in the key exchange.
                foreach (var wire in Exchange(side)) Deliver(side, other, Retagged(wire, 0x3000u + (uint)_random.Next(3)), isForged: true);
                break;
            case Move.ReflectToA or Move.ReflectToB:
                if (other.Recorded.Count > 0) Deliver(side, other, other.Recorded[_random.Next(other.Recorded.Count)]);
                break;
            case Move.RestartA or Move.RestartB: side.Party.Restore(side.Party.Snapshot()); break;
            case Move.TimePasses: Pass(_random.Next(3_000)); break;
            case Move.MuchTimePasses: Pass(_random.Next(150_000)); break;
            default: throw new ArgumentOutOfRangeException(nameof(move));
        }
    }

    private byte[] Secret(Side side) => (_sameSecret || side == _a ? "one secret" : "another").Utf8();

    /// <summary>The adversary is gone: what is on the way is lost, time passes, one side asks, and text flows both ways.</summary>
    public void Recover()
    {
        _a.Inbox.Clear();
        _b.Inbox.Clear();
        Pass(OtrLimits.AkeLifetime + OtrLimits.AkeBurst * OtrLimits.AkeRefillInterval);
        foreach (var side in new[] { _a, _b }) side.Inbox.Clear();
        Do(Move.AStarts);
        Settle();
        Assert.Equal((MessageState.Encrypted, MessageState.Encrypted), (_a.Party.Conversation.State, _b.Party.Conversation.State));
        var before = (_a.Received.Count, _b.Received.Count);
        foreach (var move in (Move[])[Move.ASends, Move.BSends, Move.ASends, Move.BSends])
        {
            Do(move);
            Settle();
        }
        Assert.Equal((before.Item1 + 2, before.Item2 + 2), (_a.Received.Count, _b.Received.Count));
    }

    private void Settle()
    {
        for (var i = 0; _a.Inbox.Count + _b.Inbox.Count > 0; i++)
        {
            Assert.True(i < 5_000, "The two sides never fall silent.");
            Do(i % 2 == 0 ? Move.DeliverToA : Move.DeliverToB);
        }
    }

    private void Pass(long milliseconds)
    {
        foreach (var (side, other) in new[] { (_a, _b), (_b, _a) })
        {
            side.Party.Now += milliseconds;
            Step(side, other, new OtrInput.TimePassed());
        }
    }

    /// <summary>The key-exchange messages that were ever on the way to a side, in order.</summary>
    private static byte[][] Exchange(Side side) => [.. side.Recorded.Where(w => WireText.IsMessage(w) && WireText.TypeOf(w) != 0x03).TakeLast(8)];

    private static byte[] Retagged(byte[] wire, uint tag)
    {
        var message = WireText.Decode(wire);
        new Fields().Int(tag).ToArray().CopyTo(message, 3);
        return WireText.Encode(message);
    }

    private static byte[]? Take(Side side, int index)
    {
        if (index >= side.Inbox.Count) return null;
        var wire = side.Inbox[index];
        side.Inbox.RemoveAt(index);
        return wire;
    }

    private void Deliver(Side side, Side other, byte[]? wire, bool isForged = false)
    {
        if (wire is null) return;
        side.WasForgedTo |= isForged;
        Step(side, other, new OtrInput.WireReceived(wire));
    }

    private void Step(Side side, Side other, OtrInput input)
    {
        var before = Convert.ToHexString(side.Party.Snapshot());
        var effects = side.Party.Step(input);
        // What has changed and says that it has not would be lost in a restart.
        if (!side.Party.Conversation.IsDirty) Assert.Equal(before, Convert.ToHexString(side.Party.Snapshot()));
        foreach (var effect in effects)
        {
            switch (effect)
            {
                case OtrEffect.SendWire { Text: var wire }:
                    other.Inbox.Add(wire.ToArray());
                    other.Recorded.Add(wire.ToArray());
                    CheckStream(side, wire.ToText());
                    break;
                case OtrEffect.DeliverText { Encrypted: true } t:
                    Assert.Contains(t.Text.ToText(), other.Sent);
                    Assert.True(side.Received.Add(t.Text.ToText()), $"Delivered twice: {t.Text.ToText()}");
                    break;
                case OtrEffect.DeliverText t:
                    // Flips may turn a marker into ordinary text, also in a fragment that is put together later; it must then be flagged.
                    Assert.True(t.UnexpectedlyClear && side.WasForgedTo, $"Text in the clear that nobody sent: {t.Text.ToText()}");
                    break;
                case OtrEffect.SessionChanged { Cause: SessionCause.EndedByPeer }:
                    Assert.True(other.Ended > 0, "A disconnect that nobody sent.");
                    break;
                case OtrEffect.SmpAnswerNeeded:
                    Assert.True(other.SmpRuns > 0, "An SMP request that nobody sent.");
                    break;
                case OtrEffect.SmpChanged { Outcome: SmpOutcome.Success }:
                    Assert.True(_sameSecret, "SMP succeeded though the secrets differ.");
                    break;
                case OtrEffect.SmpChanged { Outcome: SmpOutcome.Cheated or SmpOutcome.Failure }:
                    // SMP messages name no run: an answer that crosses a restart of ours cannot be told from cheating.
                    Assert.False(_sameSecret && side.SmpRuns + other.SmpRuns <= 1, "The one run of SMP between honest sides with one secret failed.");
                    break;
                case OtrEffect.FingerprintSeen seen:
                    var account = other.Party.Account;
                    Assert.Equal(_isFourth ? account.Identity!.Fingerprint : account.Key.PublicKey.Fingerprint, seen.Fingerprint);
                    break;
            }
        }
    }

    /// <summary>No key stream is used for two texts: key ids may be equal in two sessions, but then the next key differs.</summary>
    private void CheckStream(Side side, string wire)
    {
        if (wire.StartsWith("?OTR|", StringComparison.Ordinal))
        {
            var fields = wire.Split(',');
            side.Pieces = (fields[1] == "00001" ? "" : side.Pieces) + fields[3];
            if (fields[1] != fields[2]) return;
            wire = side.Pieces;
        }
        if (!wire.StartsWith("?OTR:", StringComparison.Ordinal) || WireText.TypeOf(wire.Utf8()) != 0x03) return;
        if (_isFourth)
        {
            CheckStream4(side, WireText.Decode(wire.Utf8()));
            return;
        }
        var data = ReadData.Of(wire.Utf8());
        // The keys that it was made under, as the sender knows them.
        var key = side.Party.Look(s => s.Find(data.ReceiverTag)?.Keys?.Receiving(data.RecipientKeyId, data.SenderKeyId) is { } pair ? Convert.ToHexString(pair.Raw[..16]) : null);
        // A disconnect has wiped them; the pair of key ids and the next key stand in then.
        var name = $"{key ?? $"{data.SenderKeyId}/{data.RecipientKeyId}/{data.NextY}"}/{data.Counter}";
        var text = Convert.ToHexString(data.Ciphertext);
        Assert.True(side.Streams.TryAdd(name, text) || side.Streams[name] == text, "A counter was used twice under one key.");
    }

    /// <summary>
    /// No message key encrypts twice: its place is told by the sender's ECDH key, the ratchet and the message's number in it.
    /// </summary>
    private static void CheckStream4(Side side, byte[] message)
    {
        var reader = new OtrReader(message);
        reader.ReadFixed(12);
        reader.ReadUInt32();
        var name = $"{reader.ReadUInt32()}/{reader.ReadUInt32()}/{Convert.ToHexString(reader.ReadFixed(57))}";
        reader.ReadMpi();
        var text = Convert.ToHexString(reader.ReadData());
        Assert.True(side.Streams.TryAdd(name, text) || side.Streams[name] == text, "A message key was used twice.");
    }
}
