using System.Text;
using Otr.Core;

namespace Relay.Lab.Load;

/// <summary>A peer in this process that uses Otr.Core.</summary>
/// <param name="key">Owned by the caller; many peers may share one.</param>
internal sealed class CorePeer(DsaPrivateKey key, uint instanceTag, int maxWireBytes, ILoadPeerListener listener) : ILoadPeer
{
    private readonly Lock _lock = new();
    private readonly List<OtrEffect> _effects = [];
    private readonly OtrConversation _conversation =
        new(new OtrAccount(key, instanceTag), new OtrSettings { Policy = OtrPolicy.AllowV3, MaxWireBytes = maxWireBytes });

    public ValueTask StartAsync(CancellationToken cancellation) => Step(new OtrInput.StartRequested());

    public ValueTask SendAsync(string text, CancellationToken cancellation)
        => Step(new OtrInput.SendRequested(Encoding.UTF8.GetBytes(text)));

    public ValueTask ReceiveAsync(ReadOnlyMemory<byte> wire, CancellationToken cancellation) => Step(new OtrInput.WireReceived(wire));

    public ValueTask DisposeAsync()
    {
        _conversation.Dispose();
        return ValueTask.CompletedTask;
    }

    private ValueTask Step(OtrInput input)
    {
        // Sending and receiving are concurrent; the listener must get the effects in the order of the steps.
        lock (_lock)
        {
            _effects.Clear();
            var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
            _conversation.Step(input, new OtrEnvironment(now, SystemRandom.Instance), _effects);
            foreach (var effect in _effects)
            {
                switch (effect)
                {
                    case OtrEffect.SendWire wire: listener.Wire(wire.Text.ToArray()); break;
                    case OtrEffect.DeliverText text: listener.Read(Encoding.UTF8.GetString(text.Text.Span), text.Encrypted); break;
                    case OtrEffect.SessionChanged { Cause: SessionCause.KeyExchange }: listener.SessionBegan(); break;
                    case OtrEffect.SessionChanged: listener.SessionEnded(); break;
                    case OtrEffect.Rejected rejected: listener.Refused(rejected.Reason.ToString()); break;
                    case OtrEffect.Refused refused: listener.Refused(refused.Reason.ToString()); break;
                    case OtrEffect.PeerError: listener.Refused("OTR error"); break;
                }
            }
        }
        return ValueTask.CompletedTask;
    }
}
