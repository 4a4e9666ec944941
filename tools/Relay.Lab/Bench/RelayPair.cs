using System.Buffers;
using System.Text;
using Otr.Core;

namespace Relay.Lab.Bench;

/// <summary>Two conversations of Otr.Core that exchange messages in one thread.</summary>
internal sealed class RelayPair : IDisposable
{
    private static readonly byte[] Secret = Encoding.UTF8.GetBytes("a secret of two");
    private static readonly OtrSettings Settings = new() { Policy = OtrPolicy.AllowV3 };

    private readonly OtrAccount _alice, _bob;
    private readonly OtrConversation[] _sides = new OtrConversation[2];
    private readonly List<OtrEffect> _effects = [];
    private readonly Queue<(int To, ReadOnlyMemory<byte> Text)> _underWay = new();
    private readonly ArrayBufferWriter<byte> _snapshot = new();
    private ulong? _token;
    private int _successes;

    /// <param name="alice">Owned by the caller.</param>
    /// <param name="bob">Owned by the caller.</param>
    public RelayPair(DsaPrivateKey alice, DsaPrivateKey bob)
    {
        _alice = new OtrAccount(alice, 0x1001);
        _bob = new OtrAccount(bob, 0x1002);
        Open();
    }

    /// <summary>Opens two new conversations and runs a key exchange that a query starts, until both are encrypted.</summary>
    public void KeyExchange()
    {
        Close();
        Open();
        Step(0, new OtrInput.StartRequested());
        if (_sides[0].State != MessageState.Encrypted || _sides[1].State != MessageState.Encrypted)
            throw new InvalidOperationException("The key exchange failed.");
    }

    /// <summary>Encrypts a text on one side and decrypts it on the other.</summary>
    public void Say(int from, ReadOnlyMemory<byte> text)
    {
        if (Step(from, new OtrInput.SendRequested(text)) != 1) throw new InvalidOperationException("A text was lost.");
    }

    /// <summary>Runs the socialist millionaires' protocol with equal secrets.</summary>
    public void RunSmp()
    {
        _token = null;
        _successes = 0;
        _now += OtrLimits.SmpRefillInterval; // runs are limited per minute
        Step(0, new OtrInput.SmpStartRequested(Secret));
        Step(1, new OtrInput.SmpAnswerRequested(_token ?? throw new InvalidOperationException("The secret was not requested."), Secret));
        if (_successes != 2) throw new InvalidOperationException("SMP failed.");
    }

    /// <summary>Writes one side's snapshot and restores it.</summary>
    /// <returns>The snapshot's size in bytes.</returns>
    public int SnapshotAndRestore()
    {
        _snapshot.ResetWrittenCount();
        _sides[0].WriteSnapshot(_snapshot);
        _sides[0].Dispose();
        if (!OtrConversation.TryRestore(_snapshot.WrittenSpan, _alice, Settings, out var restored))
            throw new InvalidOperationException("A snapshot cannot be restored.");
        _sides[0] = restored;
        return _snapshot.WrittenCount;
    }

    /// <summary>Releases the buffers of this class, so that a measurement of memory contains only the conversations.</summary>
    public void Trim()
    {
        _effects.Clear();
        _effects.TrimExcess();
        _underWay.TrimExcess();
    }

    public void Dispose() => Close();

    // Constant within a case, so that no timer runs during a measurement.
    private long _now = 1_700_000_000_000;

    private void Open()
    {
        _sides[0] = new OtrConversation(_alice, Settings);
        _sides[1] = new OtrConversation(_bob, Settings);
    }

    private void Close()
    {
        foreach (var side in _sides) side.Dispose();
    }

    /// <summary>Runs one input and all wire messages that follow from it. Returns the number of delivered texts.</summary>
    private int Step(int side, OtrInput input)
    {
        var delivered = Take(side, input);
        while (_underWay.TryDequeue(out var message)) delivered += Take(message.To, new OtrInput.WireReceived(message.Text));
        return delivered;
    }

    private int Take(int side, OtrInput input)
    {
        _effects.Clear();
        _sides[side].Step(input, new OtrEnvironment(_now, SystemRandom.Instance), _effects);
        var delivered = 0;
        foreach (var effect in _effects)
        {
            switch (effect)
            {
                case OtrEffect.SendWire wire: _underWay.Enqueue((1 - side, wire.Text)); break;
                case OtrEffect.DeliverText: delivered++; break;
                case OtrEffect.SmpAnswerNeeded asked: _token = asked.Token; break;
                case OtrEffect.SmpChanged { Outcome: SmpOutcome.Success }: _successes++; break;
                case OtrEffect.Rejected rejected: throw new InvalidOperationException($"Rejected: {rejected.Reason}.");
                case OtrEffect.Refused refused: throw new InvalidOperationException($"Refused: {refused.Reason}.");
            }
        }
        return delivered;
    }
}
