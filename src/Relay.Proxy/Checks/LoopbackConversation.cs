using System.Text;
using Otr.Core;

namespace Relay.Proxy.Checks;

/// <summary>A private conversation with an account's key in memory, so that a key that does not work is found before a contact finds it.</summary>
internal static class LoopbackConversation
{
    private const string Text = "a text to oneself";
    private const uint OwnTag = 0x100, PeerTag = 0x101;
    /// <summary>More than a key exchange and a text take, in fragments.</summary>
    private const int MaxWires = 200;

    public static ProxyFinding Run(DsaPrivateKey key, ProxyAccountOptions options)
    {
        var settings = new OtrSettings
        {
            Policy = OtrPolicy.Manual | OtrPolicy.RequireEncryption, MaxWireBytes = options.MaxWireBytes, SingleLine = options.SingleLine,
        };
        using var peersKey = DsaPrivateKey.Generate(SystemRandom.Instance);
        using var own = new OtrConversation(new OtrAccount(key, OwnTag), settings);
        using var peer = new OtrConversation(new OtrAccount(peersKey, PeerTag), settings);
        var wires = new Queue<(OtrConversation To, byte[] Text)>();
        bool isRead = false, isSent = false;
        Step(own, new OtrInput.StartRequested());
        for (int i = 0; i < MaxWires && wires.TryDequeue(out var wire); i++)
        {
            Step(wire.To, new OtrInput.WireReceived(wire.Text));
            if (isSent || own.State != MessageState.Encrypted || wires.Count > 0) continue;
            isSent = true;
            Step(own, new OtrInput.SendRequested(Encoding.UTF8.GetBytes(Text)));
        }
        return isRead ? new ProxyFinding("conversation", ProxyVerdict.Ok, "a text to a contact in memory was encrypted and read with the account's key")
            : new ProxyFinding("conversation", ProxyVerdict.Problem, "A contact in memory could not read a text that was encrypted with the account's key.",
                "The key may be damaged: restore it from a backup, or move it away, and a new one is made.");

        void Step(OtrConversation who, OtrInput input)
        {
            var effects = new List<OtrEffect>();
            who.Step(input, new OtrEnvironment(options.Time.GetUtcNow().ToUnixTimeMilliseconds(), SystemRandom.Instance), effects);
            foreach (var effect in effects)
            {
                if (effect is OtrEffect.SendWire wire) wires.Enqueue((who == own ? peer : own, wire.Text.ToArray()));
                isRead |= who == peer && effect is OtrEffect.DeliverText { Encrypted: true } text && Encoding.UTF8.GetString(text.Text.Span) == Text;
            }
        }
    }
}
