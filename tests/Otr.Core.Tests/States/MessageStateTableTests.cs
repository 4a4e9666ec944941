using Otr.Core.Tests.Conversations;
using Otr.Core.Tests.Kit;
using Otr.Core.Wire;

namespace Otr.Core.Tests.States;

/// <summary>What can happen to a conversation.</summary>
public enum MessageEvent
{
    PlaintextReceived, TaggedReceived, QueryReceived, ErrorReceived,
    DataReceived, DataUnreadable, DataUnreadableIgnorable, DataMalformed, DisconnectReceived, DisconnectWithTextReceived,
    UserSends, UserStarts, UserEnds, UserUsesExtraKey, UserStartsSmp, KeyExchangeCompletes,
}

/// <summary>The table of spec v3, "Message state" (checklist A9), as data; every triple of policy, state and event has a row.</summary>
public sealed class MessageStateTableTests
{
    // Event: effects in PLAINTEXT | ENCRYPTED | FINISHED, each with the state that follows (P, E, F). A "!" marks text that
    // is unexpectedly in the clear, "~" a refusal not worth telling.
    private const string Always = """
        PlaintextReceived           : deliver! P                    | deliver! E               | deliver! F
        TaggedReceived              : deliver! started commit P     | deliver! E               | deliver! started commit F
        QueryReceived               : started commit P              | started commit E         | started commit F
        ErrorReceived               : error-shown query P           | error-shown query E      | error-shown query F
        DataReceived                : NotEncrypted error P          | private E                | NotEncrypted error F
        DataUnreadable              : NotEncrypted error P          | BadMac error E           | NotEncrypted error F
        DataUnreadableIgnorable     : NotEncrypted~ P               | BadMac~ E                | NotEncrypted~ F
        DataMalformed               : Malformed error P             | Malformed error E        | Malformed error F
        DisconnectReceived          : NotEncrypted error P          | EndedByPeer F            | NotEncrypted error F
        DisconnectWithTextReceived  : NotEncrypted error P          | private EndedByPeer F    | NotEncrypted error F
        UserSends                   : query Held P                  | data Encrypted E         | refused-SessionFinished F
        UserStarts                  : query P                       | query E                  | query F
        UserEnds                    : P                             | data EndedByUs P         | EndedByUs P
        UserUsesExtraKey            : refused-NotEncrypted P        | data extra-key E         | refused-NotEncrypted F
        UserStartsSmp               : refused-NotEncrypted P        | data smp E               | refused-NotEncrypted F
        KeyExchangeCompletes        : signature KeyExchange E       | signature KeyExchange E  | signature KeyExchange E
        """;

    // The same where text may go in the clear: only what differs.
    private const string Opportunistic = """
        PlaintextReceived           : deliver P                     | deliver! E               | deliver! F
        TaggedReceived              : deliver started commit P      | deliver! E               | deliver! started commit F
        UserSends                   : tagged Clear P                | data Encrypted E         | refused-SessionFinished F
        """;

    public static TheoryData<string, MessageState, MessageEvent> Triples
    {
        get
        {
            var triples = new TheoryData<string, MessageState, MessageEvent>();
            foreach (var policy in new[] { nameof(Always), nameof(Opportunistic) })
                foreach (var state in Enum.GetValues<MessageState>())
                    foreach (var @event in Enum.GetValues<MessageEvent>()) triples.Add(policy, state, @event);
            return triples;
        }
    }

    [Theory]
    [MemberData(nameof(Triples))]
    public void A_triple_of_policy_state_and_event_does_what_its_row_says(string policy, MessageState state, MessageEvent @event)
    {
        var expected = Cell(policy, state, @event);
        var scene = new Scene(policy == nameof(Always) ? OtrPolicy.Always : OtrPolicy.Opportunistic);
        scene.Enter(state);
        var effects = scene.Happen(@event);
        Assert.Equal(expected, string.Join(' ', [.. effects.Select(Describe), scene.Us.Conversation.State.ToString()[..1]]));
    }

    private static string Cell(string policy, MessageState state, MessageEvent @event)
    {
        var rows = (policy == nameof(Opportunistic) ? Opportunistic + "\n" : "") + Always;
        var row = rows.Split('\n').First(r => r.Split(':')[0].Trim() == @event.ToString());
        return row.Split(':')[1].Split('|')[(int)state].Trim();
    }

    private static string Describe(OtrEffect effect) => effect switch
    {
        OtrEffect.SendWire w => DescribeWire(w.Text),
        OtrEffect.DeliverText { Encrypted: true } => "private",
        OtrEffect.DeliverText t => t.UnexpectedlyClear ? "deliver!" : "deliver",
        OtrEffect.SessionChanged c => c.Cause.ToString(),
        OtrEffect.SendOutcome o => o.Disposition.ToString(),
        OtrEffect.Rejected r => r.Reason + (r.Quiet ? "~" : ""),
        OtrEffect.Refused r => "refused-" + r.Reason,
        OtrEffect.PeerError => "error-shown",
        OtrEffect.ExtraKey => "extra-key",
        OtrEffect.SmpChanged => "smp",
        OtrEffect.Noted { Kind: NoteKind.KeyExchangeStarted } => "started",
        _ => effect.ToString(),
    };

    private static string DescribeWire(ReadOnlyMemory<byte> wire) => WireClassifier.Classify(wire.Span, out _) switch
    {
        WireKind.Query => "query",
        WireKind.Error => "error",
        WireKind.Plaintext => "clear",
        WireKind.TaggedPlaintext => "tagged",
        _ => WireText.TypeOf(wire) switch { 0x02 => "commit", 0x03 => "data", 0x12 => "signature", var t => t.ToString() },
    };

    private sealed class Scene(OtrPolicy policy)
    {
        private readonly Party _peer = new(2, new OtrSettings { Policy = OtrPolicy.AllowV3 });
        private Insider? _insider;

        public Party Us { get; } = new(1, new OtrSettings { Policy = policy });

        public void Enter(MessageState state)
        {
            Network.Establish(_peer, Us);
            _insider = new Insider(_peer);
            if (state == MessageState.Finished) Us.Receive(_peer.End().Wire().Single());
            if (state == MessageState.Plaintext) Us.End();
            Assert.Equal(state, Us.Conversation.State);
        }

        public List<OtrEffect> Happen(MessageEvent @event) => @event switch
        {
            MessageEvent.PlaintextReceived => Us.Receive("hello"),
            MessageEvent.TaggedReceived => Us.Receive(WhitespaceTag.Append("hello"u8, OtrVersions.V3)),
            MessageEvent.QueryReceived => Us.Receive("?OTRv3?"),
            MessageEvent.ErrorReceived => Us.Receive("?OTR Error: unreadable"),
            MessageEvent.DataReceived => Us.Receive(_insider!.Text("hello")),
            MessageEvent.DataUnreadable => Us.Receive(_insider!.Text("hello", f => f with { Mac = m => new byte[m.Length] })),
            MessageEvent.DataUnreadableIgnorable => Us.Receive(_insider!.Text("hello", f => f with { Flags = 1, Mac = m => new byte[m.Length] })),
            MessageEvent.DataMalformed => Us.Receive(_insider!.Text("hello", f => f with { Mac = m => m[1..] })),
            MessageEvent.DisconnectReceived => Us.Receive(_insider!.Tlvs("", (1, []))),
            MessageEvent.DisconnectWithTextReceived => Us.Receive(_insider!.Tlvs("bye", (1, []))),
            MessageEvent.UserSends => Us.Send("hello"),
            MessageEvent.UserStarts => Us.Start(),
            MessageEvent.UserEnds => Us.End(),
            MessageEvent.UserUsesExtraKey => Us.Step(new OtrInput.ExtraKeyRequested(1, default)),
            MessageEvent.UserStartsSmp => Us.Step(new OtrInput.SmpStartRequested("secret".Utf8())),
            MessageEvent.KeyExchangeCompletes => Complete(),
            _ => throw new ArgumentOutOfRangeException(nameof(@event)),
        };

        // The peer commits, we answer, it reveals; what that leads to is looked at.
        private List<OtrEffect> Complete()
        {
            var key = Us.Receive(_peer.Receive("?OTRv3?").Wire().Single()).Wire().Single();
            return Us.Receive(_peer.Receive(key).Wire().Single());
        }
    }
}
