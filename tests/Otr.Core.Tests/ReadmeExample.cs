using System.Text;
using Otr.Core;

namespace Otr.Core.Tests;

/// <summary>The example of <c>src/Otr.Core/README.md</c>, statement by statement; a test compares the two.</summary>
public sealed class ReadmeExample
{
    /// <summary>What a client's author has: something that carries text.</summary>
    private sealed class Network
    {
        public event Action<ReadOnlyMemory<byte>> Received = _ => { };

        public List<ReadOnlyMemory<byte>> Sent { get; } = [];

        public void Send(ReadOnlyMemory<byte> text) => Sent.Add(text);

        public void Carry(ReadOnlyMemory<byte> text) => Received(text);
    }

    [Fact]
    public void It_holds_a_conversation_with_itself()
    {
        var network = new Network();
        using var Console = new StringWriter();
        Run(network, Console, () =>
        {
            using var key = DsaPrivateKey.Generate(SystemRandom.Instance);
            using var conversation = new OtrConversation(new OtrAccount(key, 0x12345678), new OtrSettings { Policy = OtrPolicy.Managed });
            var read = new List<string>();
            // Until neither has anything left to say.
            for (int at = 0; at < network.Sent.Count; at++)
            {
                var effects = new List<OtrEffect>();
                conversation.Step(new OtrInput.WireReceived(network.Sent[at]), new OtrEnvironment(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), SystemRandom.Instance), effects);
                read.AddRange(effects.OfType<OtrEffect.DeliverText>().Where(t => t.Encrypted).Select(t => Encoding.UTF8.GetString(t.Text.Span)));
                foreach (var wire in effects.OfType<OtrEffect.SendWire>()) network.Carry(wire.Text);
            }
            Assert.Equal(["hello"], read);
        });
        Assert.Contains("Encrypted", Console.ToString(), StringComparison.Ordinal);
    }

    private static void Run(Network network, StringWriter Console, Action carry)
    {
        using var key = DsaPrivateKey.Generate(SystemRandom.Instance);          // once for each account; keep it
        var account = new OtrAccount(key, InstanceTag: 0x5a73a599);             // random, at least 0x100; keep it
        using var conversation = new OtrConversation(account, new OtrSettings { Policy = OtrPolicy.Managed });

        void Take(OtrInput input)
        {
            var effects = new List<OtrEffect>();
            conversation.Step(input, new OtrEnvironment(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), SystemRandom.Instance), effects);
            foreach (var effect in effects)
            {
                if (effect is OtrEffect.SendWire wire) network.Send(wire.Text);
                else if (effect is OtrEffect.DeliverText { Encrypted: true } text) Console.WriteLine(Encoding.UTF8.GetString(text.Text.Span));
                else if (effect is OtrEffect.SessionChanged changed) Console.WriteLine(changed.Session.State);
            }
        }

        Take(new OtrInput.StartRequested());                                    // offers a private session
        network.Received += text => Take(new OtrInput.WireReceived(text));      // whatever arrives, OTR or not
        Take(new OtrInput.SendRequested(Encoding.UTF8.GetBytes("hello")));      // held until the session stands
        carry();
    }
}
