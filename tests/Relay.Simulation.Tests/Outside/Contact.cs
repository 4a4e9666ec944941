using System.Buffers;
using System.Text;
using Otr.Core;
using Relay.Actors;
using Relay.Simulation.Tests.Checks;
using Relay.Simulation.Tests.Engine;

namespace Relay.Simulation.Tests.Outside;

/// <summary>A person with a real OTR engine on the far side of the bridge, who survives everything.</summary>
internal sealed class Contact : IDisposable
{
    private readonly Schedule _schedule;
    private readonly SimProcess _outside;
    private readonly Checker _checker;
    private readonly CommandSender _bridge;
    private readonly SimTime _time;
    private readonly OtrConversation _conversation;
    private readonly int _keyExchanges;
    private readonly List<OtrEffect> _effects = [];
    private SimEvent? _deadline;
    private int _carried;

    /// <param name="snapshot">Where the conversation stood; null: nothing was said yet.</param>
    /// <param name="bridge">Carries what the contact's engine sends.</param>
    public Contact(Schedule schedule, SimProcess outside, Checker checker, CommandSender bridge, int peer, byte[]? snapshot)
    {
        (_schedule, _outside, _checker, _bridge, Peer) = (schedule, outside, checker, bridge, peer);
        _time = new SimTime(schedule, outside, 0);
        var account = new OtrAccount(TestKeys.Of(1 + peer), 0x1000u + (uint)peer);
        var settings = new OtrSettings { Policy = OtrPolicy.Managed };
        if (snapshot is null) _conversation = new OtrConversation(account, settings);
        else _conversation = OtrConversation.TryRestore(snapshot, account, settings, out var restored) ? restored : throw new InvalidOperationException("A snapshot does not open.");
        _keyExchanges = snapshot is null ? 1 : 0;
    }

    public int Peer { get; }

    public MessageState State => _conversation.State;

    public void Say(string text)
    {
        _checker.Sent(Peer, Direction.ToBot, text);
        Step(new OtrInput.SendRequested(Encoding.UTF8.GetBytes(text)));
    }

    public void Receive(ReadOnlyMemory<byte> wire) => Step(new OtrInput.WireReceived(wire));

    public byte[] Snapshot()
    {
        var buffer = new ArrayBufferWriter<byte>();
        _conversation.WriteSnapshot(buffer);
        return buffer.WrittenSpan.ToArray();
    }

    private void Step(OtrInput input)
    {
        _effects.Clear();
        _conversation.Step(input, new OtrEnvironment(_time.GetUtcNow().ToUnixTimeMilliseconds(), _schedule.Random), _effects);
        foreach (var effect in _effects)
        {
            switch (effect)
            {
                case OtrEffect.SendWire send:
                    _checker.Counters.See($"contact {Peer}", send.Text.Span);
                    _bridge.Send(new Command.ReceiveWire($"{(_keyExchanges == 0 ? "n" : "m")}{Peer}-{++_carried}", send.Text.ToArray()));
                    break;
                case OtrEffect.DeliverText { Encrypted: true } text:
                    _checker.Delivered(Peer, Direction.ToContact, Encoding.UTF8.GetString(text.Text.Span));
                    break;
                case OtrEffect.SessionChanged { Cause: SessionCause.KeyExchange }:
                    _checker.KeyExchanged(Peer, "contact", _keyExchanges);
                    break;
                case OtrEffect.DeliverText or OtrEffect.Rejected { Quiet: false } or OtrEffect.PeerError or OtrEffect.SessionChanged or OtrEffect.Refused:
                    throw new ViolationException(Invariant.OneSession, $"Contact {Peer}: {effect}.");
            }
        }
        SetDeadline();
    }

    private void SetDeadline()
    {
        if (_deadline is not null) _deadline.IsCancelled = true;
        _deadline = null;
        if (_conversation.NextDeadline is not { } due) return;
        long delay = Math.Max(0, due - _time.GetUtcNow().ToUnixTimeMilliseconds());
        _deadline = _schedule.Post(_outside, "contact's deadline", Peer, () => Step(new OtrInput.TimePassed()), delay);
    }

    public void Dispose() => _conversation.Dispose();
}
