using System.Text;
using System.Threading.Channels;
using Otr.Core;

namespace Relay.Gateway.Tests.Harness;

/// <summary>Somebody outside: one end of OTR, whose wire text a bridge carries.</summary>
public sealed class Contact : IDisposable
{
    private readonly Lock _lock = new();
    private readonly DsaPrivateKey _key = TestKeys.NewContactKey();
    private readonly OtrConversation _conversation;
    private readonly Channel<byte[]> _wire = Channel.CreateUnbounded<byte[]>();
    private readonly Channel<(string Text, bool Encrypted)> _texts = Channel.CreateUnbounded<(string, bool)>();
    private readonly Channel<SmpOutcome> _verifications = Channel.CreateUnbounded<SmpOutcome>();
    private readonly Channel<(ulong, string?)> _questions = Channel.CreateUnbounded<(ulong, string?)>();
    private readonly Channel<SessionCause> _changes = Channel.CreateUnbounded<SessionCause>();

    public Contact(string address, int maxWireBytes = 0, OtrPolicy policy = OtrPolicy.AllowV3)
    {
        Address = address;
        _conversation = new OtrConversation(new OtrAccount(_key, 0x100 + (uint)Random.Shared.Next(1, int.MaxValue - 0x200)), new OtrSettings { Policy = policy, MaxWireBytes = maxWireBytes });
    }

    public string Address { get; }

    /// <summary>Key exchanges completed so far.</summary>
    public int KeyExchanges { get; private set; }

    /// <summary>Messages of the other side that were rejected.</summary>
    public List<RejectReason> Rejects { get; } = [];

    /// <summary>What is to be carried to the other side.</summary>
    public ChannelReader<byte[]> Wire => _wire.Reader;

    public ChannelReader<(string Text, bool Encrypted)> Texts => _texts.Reader;

    public ChannelReader<SessionCause> Changes => _changes.Reader;

    public void Start() => Step(new OtrInput.StartRequested());

    public void Send(string text) => Step(new OtrInput.SendRequested(Encoding.UTF8.GetBytes(text)));

    public void End() => Step(new OtrInput.EndRequested());

    /// <summary>What the contact's program shows of SMP that has ended.</summary>
    public ChannelReader<SmpOutcome> Verifications => _verifications.Reader;

    /// <summary>Questions of the other side, with the token to answer with; null for a request without one.</summary>
    public ChannelReader<(ulong Token, string? Question)> Questions => _questions.Reader;

    public void Verify(string secret, string? question = null) => Step(new OtrInput.SmpStartRequested(
        Encoding.UTF8.GetBytes(secret), question is null ? null : (ReadOnlyMemory<byte>?)Encoding.UTF8.GetBytes(question)));

    public void Answer(ulong token, string secret) => Step(new OtrInput.SmpAnswerRequested(token, Encoding.UTF8.GetBytes(secret)));

    public void Receive(ReadOnlyMemory<byte> wire) => Step(new OtrInput.WireReceived(wire));

    public void Dispose()
    {
        _conversation.Dispose();
        _key.Dispose();
    }

    private void Step(OtrInput input)
    {
        lock (_lock)
        {
            var effects = new List<OtrEffect>();
            _conversation.Step(input, new OtrEnvironment(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), SystemRandom.Instance), effects);
            foreach (var effect in effects)
            {
                switch (effect)
                {
                    case OtrEffect.SendWire wire:
                        _wire.Writer.TryWrite(wire.Text.ToArray());
                        break;
                    case OtrEffect.DeliverText text:
                        _texts.Writer.TryWrite((Encoding.UTF8.GetString(text.Text.Span), text.Encrypted));
                        break;
                    case OtrEffect.SmpAnswerNeeded asked:
                        _questions.Writer.TryWrite((asked.Token, asked.Question is { } q ? Encoding.UTF8.GetString(q.Span) : null));
                        break;
                    case OtrEffect.SmpChanged { Outcome: not SmpOutcome.InProgress } smp:
                        _verifications.Writer.TryWrite(smp.Outcome);
                        break;
                    case OtrEffect.SessionChanged changed:
                        if (changed.Cause == SessionCause.KeyExchange) KeyExchanges++;
                        _changes.Writer.TryWrite(changed.Cause);
                        break;
                    case OtrEffect.Rejected rejected:
                        Rejects.Add(rejected.Reason);
                        break;
                }
            }
        }
    }
}
