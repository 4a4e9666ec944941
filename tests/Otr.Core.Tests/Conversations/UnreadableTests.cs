using Otr.Core.Tests.Kit;

namespace Otr.Core.Tests.Conversations;

/// <summary>
/// The table of docs/unreadable.md: for each way in which a message can fail what the peer is sent and what our side is told.
/// </summary>
public sealed class UnreadableTests
{
    /// <summary>What fails | the reason | told to the user | sent to the peer.</summary>
    private const string Table = """
        cut                     | Malformed         | told  | error
        cut, flagged            | Malformed         | quiet | -
        cut before its flags    | Malformed         | told  | error
        cut, other instance     | Malformed         | quiet | -
        cut key exchange        | Malformed         | told  | -
        rest of a cut           | Malformed         | quiet | -
        malformed inside        | Malformed         | told  | error
        too large               | TooLarge          | told  | error
        too large, assembled    | TooLarge          | told  | error
        other instance, unknown | OtherInstance     | told  | error
        other instance, flagged | OtherInstance     | quiet | -
        other instance, session | OtherInstance     | quiet | -
        other instance, fragment | OtherInstance    | told  | error
        other instance, fragment flagged | OtherInstance | quiet | -
        other instance, fragment with session | OtherInstance | quiet | -
        other instance, later fragment | OtherInstance | quiet | -
        no session              | NotEncrypted      | told  | error
        no session, flagged     | NotEncrypted      | quiet | -
        bad MAC                 | BadMac            | told  | error
        bad MAC, flagged        | BadMac            | quiet | -
        unknown key             | UnknownKeyId      | told  | error
        replay                  | Replay            | quiet | -
        version not allowed     | VersionNotAllowed | told  | -
        unknown version         | VersionNotAllowed | told  | -
        unknown marker          | UnknownMessage    | told  | -
        bad fragment            | BadFragment       | told  | -
        cut fragment            | BadFragment       | told  | error
        cut later fragment      | BadFragment       | told  | error
        cut fragment, flagged   | BadFragment       | quiet | -
        cut fragment, other instance | OtherInstance | told | error
        cut fragment, key exchange | BadFragment    | told  | -
        rest of a cut fragment  | Malformed         | quiet | -
        rate-limited exchange   | RateLimited       | told  | -
        """;

    private readonly Party _us = new(1), _peer = new(2);

    public static TheoryData<string> Rows => [.. Table.Split('\n').Select(r => r.Split('|')[0].Trim())];

    private static string[] Row(string name) =>
        [.. Table.Split('\n').Select(r => r.Split('|')).First(r => r[0].Trim() == name).Select(c => c.Trim())];

    [Theory]
    [MemberData(nameof(Rows))]
    public void A_message_that_fails_does_what_its_row_says(string name)
    {
        var wire = Failing(name);
        // What led to it may have drawn an error of its own.
        _us.Now += OtrLimits.ErrorInterval;
        if (name.StartsWith("rest of a cut", StringComparison.Ordinal)) _us.Now -= OtrLimits.ErrorInterval;
        var row = Row(name);
        var effects = _us.Receive(wire);
        var reject = effects.OfType<OtrEffect.Rejected>().Single();
        Assert.Equal((row[1], row[2]), (reject.Reason.ToString(), reject.Quiet ? "quiet" : "told"));
        Assert.Equal(row[3] == "error" ? ["?OTR Error: You sent"] : [], effects.Wire().Select(w => w.ToText()[..20]));
        Assert.Empty(effects.OfType<OtrEffect.DeliverText>());
        Assert.Empty(_us.Receive(Failing(name)).Wire());
    }

    [Fact]
    public void Every_row_is_documented()
    {
        var page = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Conversations", "unreadable.md"));
        foreach (var name in Rows.Select(r => r.Data))
        {
            var row = Row(name);
            Assert.Contains(page, l => l.StartsWith($"| {name} | `{row[1]}` |", StringComparison.Ordinal));
        }
    }

    /// <summary>The same each time it is asked for, as far as it can be.</summary>
    private ReadOnlyMemory<byte> Failing(string name)
    {
        if (_us.Conversation.State == MessageState.Plaintext && name != "rate-limited exchange") Network.Establish(_us, _peer);
        using var insider = _us.Conversation.State == MessageState.Encrypted ? new Insider(_peer) : null;
        byte[] Data(Func<DataFields, DataFields>? bend = null) => insider!.Text("some text that is long enough to be cut", bend);
        DataFields Flagged(DataFields f) => f with { Flags = 1 };
        DataFields Broken(DataFields f) => f with { Mac = _ => new byte[20] };
        switch (name)
        {
            case "cut": return Data()[..350];
            case "cut, flagged": return Data(Flagged)[..350];
            case "cut before its flags": return Data()[..15];
            case "cut, other instance": return Data(f => f with { ReceiverTag = 0x7777 })[..350];
            case "cut key exchange": return new HandMadeAke(TestKeys.Of(3), 0x2222).Commit(0)[..100];
            case "rest of a cut":
                var whole = Data();
                _us.Receive(whole[..300]);
                return whole[300..];
            case "malformed inside": return WireText.Encode(WireText.Decode(Data())[..^1]);
            case "too large": return Data()[..^1].Concat(Enumerable.Repeat((byte)'A', OtrLimits.MaxWireBytes)).Append((byte)'.').ToArray();
            case "too large, assembled":
                var (from, to) = (_peer.Account.InstanceTag, _us.Account.InstanceTag);
                var text = System.Text.Encoding.ASCII.GetString(Data())[..^1] + new string('A', OtrLimits.MaxWireBytes - 1000);
                _us.Receive($"?OTR|{from:x}|{to:x},1,2,{text},");
                return $"?OTR|{from:x}|{to:x},2,2,{text},".Utf8();
            case "other instance, fragment": return Pieces(Data(f => f with { ReceiverTag = 0x7777, SenderTag = 0x8888 }), 0x8888, 0x7777)[0];
            case "other instance, fragment flagged":
                return Pieces(Data(f => f with { ReceiverTag = 0x7777, SenderTag = 0x8888, Flags = 1 }), 0x8888, 0x7777)[0];
            case "other instance, fragment with session":
                return Pieces(Data(f => f with { ReceiverTag = 0x7777 }), _peer.Account.InstanceTag, 0x7777)[0];
            case "other instance, later fragment": return Pieces(Data(f => f with { ReceiverTag = 0x7777, SenderTag = 0x8888 }), 0x8888, 0x7777)[1];
            case "cut fragment": return PiecesOf(Data())[0][..^20];
            case "cut later fragment":
                _us.Receive(PiecesOf(Data())[0]);
                return PiecesOf(Data())[1][..^20];
            case "cut fragment, flagged": return PiecesOf(Data(Flagged))[0][..^20];
            case "cut fragment, other instance": return Pieces(Data(f => f with { ReceiverTag = 0x7777, SenderTag = 0x8888 }), 0x8888, 0x7777)[0][..^20];
            case "cut fragment, key exchange": return PiecesOf(new HandMadeAke(TestKeys.Of(3), 0x2222).Commit(0), 0x2222)[0][..^20];
            case "rest of a cut fragment":
                var first = PiecesOf(Data())[0];
                _us.Receive(first[..^20]);
                return first[^20..];
            case "other instance, unknown": return Data(f => f with { ReceiverTag = 0x7777, SenderTag = 0x8888 });
            case "other instance, flagged": return Data(f => f with { ReceiverTag = 0x7777, SenderTag = 0x8888, Flags = 1 });
            case "other instance, session": return Data(f => f with { ReceiverTag = 0x7777 });
            case "no session": return Data(f => f with { SenderTag = 0x8888 });
            case "no session, flagged": return Data(f => f with { SenderTag = 0x8888, Flags = 1 });
            case "bad MAC": return Data(Broken);
            case "bad MAC, flagged": return Data(f => Broken(Flagged(f)));
            case "unknown key": return Data(f => f with { SenderKeyId = 77 });
            case "replay":
                var once = Data();
                _us.Receive(once);
                return once;
            case "version not allowed": return Data(f => f with { Version = 2 });
            case "unknown version": return Data(f => f with { Version = 4 });
            case "unknown marker": return "?OTR what is this".Utf8();
            case "bad fragment": return $"?OTR|{_peer.Account.InstanceTag:x}|{_us.Account.InstanceTag:x},3,2,x,".Utf8();
            case "rate-limited exchange":
                for (var i = 0; i <= OtrLimits.AkeBurst + OtrLimits.ErrorInterval / OtrLimits.AkeRefillInterval + 1; i++)
                {
                    _us.End();
                    _us.Receive(new HandMadeAke(TestKeys.Of(3), 0x2222).Commit(0));
                }
                _us.End();
                for (var i = 0; i <= OtrLimits.ErrorInterval / OtrLimits.AkeRefillInterval; i++, _us.End())
                {
                    _us.Now += OtrLimits.ErrorInterval;
                    _us.Receive(new HandMadeAke(TestKeys.Of(3), 0x2222).Commit(0));
                    _us.Now -= OtrLimits.ErrorInterval;
                }
                return new HandMadeAke(TestKeys.Of(3), 0x2222).Commit(0);
            default: throw new ArgumentOutOfRangeException(nameof(name), name, "No such row.");
        }
    }

    private byte[][] PiecesOf(byte[] wire, uint from = 0) => Pieces(wire, from == 0 ? _peer.Account.InstanceTag : from, _us.Account.InstanceTag);

    /// <summary>Fragments of 200 bytes of the message.</summary>
    private static byte[][] Pieces(byte[] wire, uint from, uint to) =>
        [.. wire.Chunk(200).Select((piece, i) => (byte[])[.. $"?OTR|{from:x8}|{to:x8},{i + 1:d5},{(wire.Length + 199) / 200:d5},".Utf8(), .. piece, (byte)','])];

    [Theory]
    [InlineData(0)]
    [InlineData(350)]
    public void A_contact_who_writes_in_a_session_of_an_earlier_setup_gets_a_new_one(int wireLimit)
    {
        var alice = new Party(2, new OtrSettings { Policy = OtrPolicy.AllowV3 | OtrPolicy.ErrorStartAke, MaxWireBytes = wireLimit });
        Network.Establish(_us, alice);
        // The same key on a new server: another instance tag, and no memory.
        var anew = new Party(7, account: new OtrAccount(_us.Account.Key, 0x4444));
        alice.Now = anew.Now += 1000;
        Network.Run(alice, anew, alice.Send("are you there?"));
        Assert.Contains(new OtrEffect.Rejected(RejectReason.OtherInstance), anew.All);
        Assert.Equal(MessageState.Encrypted, anew.Conversation.State);
        Network.Run(alice, anew, alice.Send("there you are"));
        Assert.Equal(["there you are"], anew.PrivateTexts);
    }

    [Fact]
    public void Another_client_of_ours_that_is_meant_costs_one_error_in_ten_minutes()
    {
        using var insider = Establish();
        var forOther = insider.Text("for the phone", f => f with { ReceiverTag = 0x7777, SenderTag = 0x8888 });
        var sent = 0;
        for (var i = 0; i < 60; i++, _us.Now += 60_000)
        {
            sent += _us.Receive(forOther).Wire().Count();
            _us.Restore(_us.Snapshot());
        }
        Assert.Equal(6, sent);
        Assert.Equal(6, _us.All.OfType<OtrEffect.Rejected>().Count(r => !r.Quiet));
    }

    [Fact]
    public void A_stranger_who_is_not_answered_is_not_told_of_errors_either()
    {
        var us = new Party(1, new OtrSettings { AnswersStrangers = false });
        using var insider = Establish();
        byte[][] wires = [insider.Text("x"), insider.Text("x", f => f with { ReceiverTag = 0x7777 }), insider.Text("x")[..300]];
        foreach (var wire in wires)
            Assert.Empty(us.Receive(wire).Wire());
    }

    [Theory]
    [InlineData(60, 60)]
    [InlineData(160, 91)]
    [InlineData(0, 91)]
    public void An_error_is_no_longer_than_the_network_takes(int limit, int length)
    {
        var us = new Party(1, new OtrSettings { MaxWireBytes = limit });
        using var insider = Establish();
        const string error = "?OTR Error: You sent encrypted data, but there is no private session here: start a new one.";
        Assert.Equal(error[..Math.Min(length, error.Length)], us.Receive(insider.Text("x")).Wire().Single().ToText());
    }

    [Fact]
    public void Two_programs_do_not_keep_answering_each_other()
    {
        var settings = new OtrSettings { Policy = OtrPolicy.Always, ResendsLast = true };
        Party a = new(1, settings), b = new(2, settings);
        Network.Establish(a, b);
        // Both are set up anew under other tags, and a line network cuts everything that is longer than 400 bytes.
        Party a2 = new(5, settings, account: a.Account with { InstanceTag = 0x5555 });
        Party b2 = new(6, settings, account: b.Account with { InstanceTag = 0x6666 });
        Queue<(Party To, ReadOnlyMemory<byte> Text)> network = new();
        void Carry(IEnumerable<OtrEffect> effects, Party to)
        {
            foreach (var wire in effects.Wire()) network.Enqueue((to, wire[..Math.Min(400, wire.Length)]));
        }
        Carry(a.Send("old"), b2);
        Carry(b.Send("old"), a2);
        var messages = 0;
        for (var second = 0; second < 3600; second++)
        {
            for (var n = network.Count; n > 0; n--, messages++)
            {
                var (to, text) = network.Dequeue();
                Carry(to.Receive(text), to == a2 ? b2 : a2);
            }
            foreach (var party in (Party[])[a2, b2])
            {
                party.Now += 1000;
                Carry(party.Step(new OtrInput.TimePassed()), party == a2 ? b2 : a2);
            }
        }
        Assert.Empty(network);
        Assert.InRange(messages, 4, 60);
    }

    [Theory]
    [InlineData("Hello.", 5, true)]
    [InlineData("ok", 1, true)]
    [InlineData("What a day it was, yesterday, in the old town of ours!", 1, true)]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 11, true)]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 1, false)]
    [InlineData("AAA=.", 1, false)]
    public void A_text_after_a_cut_is_the_user_s_unless_it_is_the_rest(string text, int secondsLater, bool isText)
    {
        using var insider = Establish();
        _us.Receive(insider.Text("x")[..(5 + 16 * 4)]);
        _us.Now += secondsLater * 1000;
        Assert.Equal(isText, _us.Receive(text).OfType<OtrEffect.DeliverText>().Any());
    }

    [Theory]
    [InlineData("ok,", true)]
    [InlineData("Yes,", true)]
    [InlineData("10,", true)]
    [InlineData("OTR,", true)]
    [InlineData("see Room4B,", true)]
    [InlineData("wait, what is this about,", true)]
    [InlineData("AAABq8xQ,", false)]
    [InlineData("q8xQ7w==.,", false)]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", false)]
    public void A_text_after_a_cut_fragment_is_the_user_s_unless_it_is_the_rest(string text, bool isText)
    {
        using var insider = Establish();
        _us.Receive(PiecesOf(insider.Text("x"))[0][..^20]);
        _us.Restore(_us.Snapshot());
        Assert.Equal(isText, _us.Receive(text).OfType<OtrEffect.DeliverText>().Any());
    }

    [Fact]
    public void A_message_in_fragments_that_are_cut_leaves_no_text_and_the_contact_is_told()
    {
        using var insider = Establish();
        _us.Now += OtrLimits.ErrorInterval;
        var sent = new List<ReadOnlyMemory<byte>>();
        foreach (var piece in PiecesOf(insider.Text(new string('x', 2000))))
        {
            var at = Math.Min(170, piece.Length - 5);
            sent.AddRange(_us.Receive(piece[..at]).Wire());
            sent.AddRange(_us.Receive(piece[at..]).Wire());
        }
        Assert.Empty(_us.Texts);
        Assert.StartsWith("?OTR Error: You sent a malformed data message", Assert.Single(sent).ToText());
    }

    [Fact]
    public void A_message_cut_into_several_lines_leaves_no_text()
    {
        using var insider = Establish();
        var wire = insider.Text(new string('x', 2000));
        for (var at = 0; at < wire.Length; at += 450) _us.Receive(wire[at..Math.Min(at + 450, wire.Length)]);
        Assert.Empty(_us.Texts);
        Assert.Equal(["and now a word"], _us.Receive("and now a word").OfType<OtrEffect.DeliverText>().Select(t => t.Text.ToText()));
    }

    private Insider Establish()
    {
        Network.Establish(_us, _peer);
        return new Insider(_peer);
    }
}
