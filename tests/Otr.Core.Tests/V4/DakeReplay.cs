using Otr.Core.V4.Dake;
using Otr.Core.V4.Profiles;
using Otr.Core.V4.Ratchet;
using Otr.Core.Wire;

namespace Otr.Core.Tests.V4;

/// <summary>
/// A published handshake played again from its random draws: every message bit for bit, every refusal, the first ratchets.
/// </summary>
internal sealed class DakeReplay
{
    /// <summary>Within a year of the profiles' expiry, which is in 2100; in ms.</summary>
    public const long Now = 4_100_000_000_000;

    /// <summary>One of the two, with what it remembers between messages.</summary>
    public sealed class Side
    {
        public Side(Vector setup, Vector other)
        {
            var profile = setup.Bytes("profile");
            var reader = new OtrReader(profile);
            Tag = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(profile.AsSpan(6));
            Assert.True(ClientProfileReader.TryRead(ref reader, Tag, Now / 1000, out var parsed, out var fault), fault.ToString());
            Assert.True(Ed448IdentityKey.TryImport([.. setup.Bytes("sym_h"), .. parsed.ForgingKey.Encoding], out var identity));
            identity.Publish(parsed);
            Assert.Equal(setup.Text("fingerprint"), identity.Fingerprint.ToHex());
            Account = new OtrAccount(Kit.TestKeys.Of(1), Tag) { Identity = identity };
            Settings = new OtrSettings
            {
                Policy = OtrPolicy.RequireEncryption, SpeaksVersion4 = true,
                OwnAddress = setup.Text("name"), PeerAddress = other.Text("name"),
            };
        }

        public uint Tag { get; }
        public OtrAccount Account { get; }
        public OtrSettings Settings { get; }
        public DakeContext Dake { get; set; } = new();
        public DakeCompletion? Completed { get; set; }

        public DakeMachine Machine(uint peerTag, IRandomSource random) => new(
            Account, Settings, peerTag, new AkeBudget(new ConversationState(Account, Settings), new OtrEnvironment(Now, random)),
            new OtrEnvironment(Now, random));

        public string State()
        {
            var writer = new OtrWriter(4096);
            DakeSnapshot.Write(ref writer, Dake);
            return Convert.ToHexString(writer.ToArrayAndDispose());
        }
    }

    private readonly List<Vector> _steps;

    public DakeReplay(string file)
    {
        var setup = Vector.Of(file, "setup").ToArray();
        Sides = new() { ["alice"] = new Side(setup[0], setup[1]), ["bob"] = new Side(setup[1], setup[0]) };
        _steps = [.. Vector.Of(file, "steps")];
    }

    public Dictionary<string, Side> Sides { get; }
    public int SentCount { get; private set; }
    public int RefusedCount { get; private set; }

    public void Play()
    {
        foreach (var step in _steps)
        {
            var side = Sides[step.Text("who")];
            var other = Sides[step.Text("who") == "alice" ? "bob" : "alice"];
            var draws = new Draws(step.Has("randoms") ? step.List("randoms") : []);
            var input = step.Has("in") ? step.Text("in") : "";
            byte[]? sent;
            if (step.Text("do") == "start-dake") sent = side.Machine(other.Tag, draws).Start(side.Dake);
            else if (input.StartsWith("?OTRv4?", StringComparison.Ordinal)) sent = side.Machine(0, draws).Start(side.Dake);
            else if (input.StartsWith("?OTR:AAQ", StringComparison.Ordinal) && input[8] != 'D') sent = Receive(side, other, step, draws);
            else continue;
            Assert.True(draws.IsEmpty);
            Assert.Equal(step.Has("out") ? step.Text("out") : null, sent is null ? null : "?OTR:" + Convert.ToBase64String(sent) + ".");
            if (sent is not null) SentCount++;
            if (step.Part("after").Has("i")) Check(side.Completed!.Ratchet, step.Part("after"));
        }
    }

    private byte[]? Receive(Side side, Side other, Vector step, Draws draws)
    {
        var message = Convert.FromBase64String(step.Text("in")["?OTR:".Length..^1]);
        // The reference answers an Identity message that comes twice with a second Auth-R. Here it gets the first again, without which the
        // two sides pass each other where nothing is reordered; so the second is computed in a context that has not answered yet.
        if (message[2] == (byte)MessageType.Identity && side.Dake.Answer?.IsAnswerTo(message) == true)
        {
            var first = side.Dake.Answer.Message;
            Assert.Equal(first, Step(side, other, message, new Draws()).Send);
            side.Dake = new DakeContext();
        }
        var before = side.State();
        var result = Step(side, other, message, draws);
        Assert.Equal(step.Has("refused"), result.Reject is not null);
        if (result.Reject is not null)
        {
            Assert.Equal(before, side.State());
            var expected = step.Text("refused") == "state" ? RejectReason.UnexpectedAkeMessage : RejectReason.BadSignature;
            Assert.Equal(expected, result.Reject);
            RefusedCount++;
        }
        if (result.Completed is { } completed)
        {
            side.Completed = completed;
            Assert.Equal(other.Account.Identity!.Fingerprint, completed.Peer);
            Assert.Equal(message[2] == (byte)MessageType.AuthI, completed.FirstHalfBold);
            if (step.Has("ssid")) Assert.Equal(step.Text("ssid"), completed.Ssid.ToString("x16"));
        }
        return result.Send;
    }

    private static DakeStep Step(Side side, Side other, byte[] message, Draws draws)
    {
        var reader = new OtrReader(message);
        var header = MessageHeader.Read(ref reader);
        var machine = side.Machine(other.Tag, draws);
        return header.Type switch
        {
            MessageType.Identity => machine.OnIdentity(side.Dake, side.Dake.Identity, message, ref reader),
            MessageType.AuthR => machine.OnAuthR(side.Dake, side.Dake, ref reader),
            _ => machine.OnAuthI(side.Dake, ref reader),
        };
    }

    private static void Check(DoubleRatchet ratchet, Vector after)
    {
        Assert.Equal((uint)after.Number("i"), ratchet.Rotations);
        Assert.Equal(after.Bytes("root"), ratchet.Keys.Root);
        Assert.Equal(after.Bytes("chain_s"), ratchet.Keys.Sending);
        Assert.Equal(after.Bytes("chain_r"), ratchet.Keys.Receiving);
    }
}
