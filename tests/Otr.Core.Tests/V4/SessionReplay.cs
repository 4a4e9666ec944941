using System.Text;
using Otr.Core.V4;
using Otr.Core.V4.Smp;
using Otr.Core.Wire;

namespace Otr.Core.Tests.V4;

/// <summary>
/// A published session played again through the product: what arrives goes the way of any text, what is sent is compared bit for bit, and
/// after every step the ratchet. Random draws are the published ones.
/// </summary>
internal sealed class SessionReplay
{
    private sealed class Side : IDisposable
    {
        private readonly Dictionary<int, ConversationState> _states = [];

        public Side(Vector setup, Vector other)
        {
            // The profile, identity and addresses are those of the handshake's replay.
            var side = new DakeReplay.Side(setup, other);
            (Account, Settings) = (side.Account, side.Settings with { HashesSmpSecretAsOtr4j = true });
            State = new ConversationState(Account, Settings);
        }

        public OtrAccount Account { get; }
        public OtrSettings Settings { get; }
        public ConversationState State { get; }
        public ulong SmpToken { get; set; }

        /// <summary>The same state with another limit of the network's.</summary>
        public ConversationState Limited(int limit)
        {
            if (limit == 0) return State;
            if (_states.TryGetValue(limit, out var state)) return state;
            state = new ConversationState(Account, Settings with { MaxWireBytes = limit });
            state.Sessions.AddRange(State.Sessions);
            return _states[limit] = state;
        }

        public V4Session? Session => State.Sessions.SingleOrDefault()?.Protocol as V4Session;

        public void Dispose() => State.Dispose();
    }

    /// <summary>Tokens of SMP requests, 8 bytes, are ours alone; everything else is as published.</summary>
    private sealed class SessionDraws(Draws draws) : IRandomSource
    {
        public void Fill(Span<byte> destination)
        {
            if (destination.Length == sizeof(ulong)) destination.Fill(0x5A);
            else draws.Fill(destination);
        }
    }

    private readonly List<Vector> _steps;
    private readonly Dictionary<string, Side> _sides;

    public SessionReplay(string file)
    {
        var setup = Vector.Of(file, "setup").ToArray();
        _sides = new() { ["alice"] = new Side(setup[0], setup[1]), ["bob"] = new Side(setup[1], setup[0]) };
        _steps = [.. Vector.Of(file, "steps")];
    }

    public int SentCount { get; private set; }
    public int DeliveredCount { get; private set; }
    public int RefusedCount { get; private set; }
    public List<SmpOutcome> Outcomes { get; } = [];
    public List<OtrEffect.ExtraKey> ExtraKeys { get; } = [];

    public void Play()
    {
        foreach (var step in _steps)
        {
            var side = _sides[step.Text("who")];
            var draws = new Draws(step.Has("randoms") ? step.List("randoms") : []);
            var effects = new List<OtrEffect>();
            var state = side.Limited(step.Has("max") ? step.Number("max") : 0);
            var context = new StepContext(state, new OtrEnvironment(DakeReplay.Now, new SessionDraws(draws)), effects);
            switch (step.Text("do"))
            {
                case "start" or "extra-key": continue;
                case "recv": IncomingText.Receive(context, Encoding.UTF8.GetBytes(step.Text("in"))); break;
                case "smp-start" or "smp-answer": StartOrAnswer(context, side, step); break;
                case "smp-abort": SmpExchange.Abort(context, null); break;
                default: Send(context, side, step); break;
            }
            Assert.True(draws.IsEmpty, step.Note);
            Check(side, step, effects);
        }
    }

    private static void Send(in StepContext context, Side side, Vector step)
    {
        if (step.Text("do") == "expire") side.Session!.PrepareExpiry();
        var session = context.State.Sessions.Single();
        var message = new OtrWriter(1024);
        var header = new MessageHeader(4, MessageType.Data, context.OwnTag, session.PeerTag);
        side.Session!.Seal(context, header, (byte)step.Number("flags"), step.Bytes("plaintext"), ref message);
        context.SendMessage(message.Written);
        message.Dispose();
    }

    private static void StartOrAnswer(in StepContext context, Side side, Vector step)
    {
        var smp = step.Part("smp");
        // 01, two fingerprints, ssid, then DATA of the secret.
        var input = smp.Bytes("secret_input");
        var (initiator, responder) = (new Fingerprint(input.AsSpan(1, 56)), new Fingerprint(input.AsSpan(57, 56)));
        var ssid = System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(input.AsSpan(113));
        byte[] secret = input[125..], derived = new byte[57];
        SmpArithmetic4.Of(side.Settings).DeriveSecret(initiator, responder, ssid, secret, derived);
        Assert.Equal(smp.Bytes("secret"), derived);
        SmpArithmetic4.Of(side.Settings with { HashesSmpSecretAsOtr4j = false }).DeriveSecret(initiator, responder, ssid, secret, derived);
        Assert.Equal(smp.Bytes("spec_secret"), derived);
        if (step.Text("do") == "smp-answer")
        {
            SmpExchange.Answer(context, side.SmpToken, secret);
            return;
        }
        var tlv = step.Bytes("tlv");
        var question = tlv.AsMemory(4, System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(tlv));
        SmpExchange.Start(context, secret, question);
    }

    private static bool IsNoError(string wire) => !wire.StartsWith("?OTR Error", StringComparison.Ordinal);

    private void Check(Side side, Vector step, List<OtrEffect> effects)
    {
        // The reference answers by an error where a key is missing, we where a MAC is wrong (checklist C9.6).
        string[] expected = step.Has("out") ? [.. step.TextOrTexts("out").Where(IsNoError)] : [];
        Assert.Equal(expected, effects.OfType<OtrEffect.SendWire>().Select(w => Encoding.UTF8.GetString(w.Text.Span)).Where(IsNoError));
        SentCount += expected.Length;
        if (step.Has("text") && step.Text("text").Length > 0)
        {
            Assert.Equal(step.Text("text"), Encoding.UTF8.GetString(effects.OfType<OtrEffect.DeliverText>().Single().Text.Span));
            DeliveredCount++;
        }
        var isRefused = effects.OfType<OtrEffect.Rejected>().Any();
        // One of the fragments says another number of pieces than its message has.
        if (!step.Has("fragment")) Assert.Equal(step.Has("refused"), isRefused);
        if (isRefused) RefusedCount++;
        if (effects.OfType<OtrEffect.SmpAnswerNeeded>().SingleOrDefault() is { } asked) side.SmpToken = asked.Token;
        Outcomes.AddRange(effects.OfType<OtrEffect.SmpChanged>().Select(c => c.Outcome).Where(o => o != SmpOutcome.InProgress));
        if (step.Has("extra_keys"))
        {
            var keys = effects.OfType<OtrEffect.ExtraKey>().ToArray();
            Assert.Equal(step.Parts("extra_keys").Select(k => k.Text("key")), keys.Select(k => Convert.ToHexStringLower(k.Key)));
            Assert.Equal(step.Parts("extra_keys").Select(k => k.Text("context")), keys.Select(k => k.Use.ToString("x8")));
            Assert.Equal(step.Parts("extra_keys").Select(k => k.Text("value")), keys.Select(k => Convert.ToHexStringLower(k.Data.Span)));
            ExtraKeys.AddRange(keys);
        }
        var after = step.Part("after");
        if (!after.Has("i") || side.Session is not { } session) return;
        Assert.Equal(
            [.. new[] { "i", "pn", "j", "k" }.Select(name => (uint)after.Number(name))],
            (uint[])[session.Ratchet.Rotations, session.Ratchet.PreviousCount, session.Ratchet.Sent, session.Ratchet.Received]);
        Assert.Equal(after.Bytes("root"), session.Ratchet.Keys.Root);
        Assert.Equal(after.Bytes("chain_s"), session.Ratchet.Keys.Sending);
        Assert.Equal(after.Bytes("chain_r"), session.Ratchet.Keys.Receiving);
        Assert.Equal(after.Texts("stored").Order(), session.Ratchet.Skipped.Select(s => $"{s.Ratchet}/{s.Message}").Order());
    }
}
