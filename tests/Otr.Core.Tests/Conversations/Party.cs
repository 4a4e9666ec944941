using System.Buffers;
using System.Text;
using Otr.Core;
using Otr.Core.Tests.Kit;

namespace Otr.Core.Tests.Conversations;

/// <summary>One side of a test conversation: an <see cref="OtrConversation"/> with its clock, randomness and what came out.</summary>
internal sealed class Party
{
    private readonly IRandomSource _random;

    public Party(int seed, OtrSettings? settings = null, uint tag = 0, OtrAccount? account = null, IRandomSource? random = null, OtrConversation? conversation = null)
    {
        _random = random ?? new SeededRandom(seed);
        Settings = settings ?? new OtrSettings { Policy = OtrPolicy.Managed };
        Account = account ?? new OtrAccount(TestKeys.Of(seed), tag == 0 ? 0x1000u + (uint)seed : tag);
        Conversation = conversation ?? new OtrConversation(Account, Settings);
    }

    public OtrAccount Account { get; }
    public OtrSettings Settings { get; }
    public OtrConversation Conversation { get; private set; }
    public long Now { get; set; } = 1_700_000_000_000;

    /// <summary>Asked by the engine; null: unlimited.</summary>
    public IComputeBudget? Budget { get; set; }

    /// <summary>Answers the peer's SMP requests; null: they wait for the test.</summary>
    public ISmpAnswers? Answers { get; set; }

    /// <summary>All effects so far, in order.</summary>
    public List<OtrEffect> All { get; } = [];

    public IEnumerable<string> Texts => All.OfType<OtrEffect.DeliverText>().Select(t => Encoding.UTF8.GetString(t.Text.Span));
    public IEnumerable<string> PrivateTexts => All.OfType<OtrEffect.DeliverText>().Where(t => t.Encrypted).Select(t => Encoding.UTF8.GetString(t.Text.Span));
    public IEnumerable<RejectReason> Rejects => All.OfType<OtrEffect.Rejected>().Select(r => r.Reason);

    /// <summary>Steps; returns this step's effects.</summary>
    public List<OtrEffect> Step(OtrInput input)
    {
        var effects = new List<OtrEffect>();
        Conversation.Step(input, new OtrEnvironment(Now, _random) { Budget = Budget, SmpAnswers = Answers }, effects);
        All.AddRange(effects);
        return effects;
    }

    public List<OtrEffect> Receive(ReadOnlyMemory<byte> wire) => Step(new OtrInput.WireReceived(wire));
    public List<OtrEffect> Receive(string wire) => Receive(Encoding.UTF8.GetBytes(wire));
    public List<OtrEffect> Send(string text, ulong reference = 0) => Step(new OtrInput.SendRequested(Encoding.UTF8.GetBytes(text), reference));
    public List<OtrEffect> Start() => Step(new OtrInput.StartRequested());
    public List<OtrEffect> End() => Step(new OtrInput.EndRequested());

    public byte[] Snapshot()
    {
        var buffer = new ArrayBufferWriter<byte>();
        Conversation.WriteSnapshot(buffer);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Goes on from a snapshot, as after a restart.</summary>
    public void Restore(byte[] snapshot)
    {
        Assert.True(OtrConversation.TryRestore(snapshot, Account, Settings, out var restored));
        Conversation = restored;
    }
}

/// <summary>Carries wire text between two parties until both are silent.</summary>
internal static class Network
{
    public static IEnumerable<ReadOnlyMemory<byte>> Wire(this IEnumerable<OtrEffect> effects) => effects.OfType<OtrEffect.SendWire>().Select(w => w.Text);

    public static void Run(Party a, Party b, IEnumerable<OtrEffect> fromA, IEnumerable<OtrEffect>? fromB = null)
    {
        var toB = new Queue<ReadOnlyMemory<byte>>(fromA.Wire());
        var toA = new Queue<ReadOnlyMemory<byte>>((fromB ?? []).Wire());
        for (var i = 0; toA.Count + toB.Count > 0; i++)
        {
            Assert.True(i < 10_000, "The two sides never fall silent.");
            if (toB.TryDequeue(out var m)) foreach (var w in b.Receive(m).Wire()) toA.Enqueue(w);
            if (toA.TryDequeue(out m)) foreach (var w in a.Receive(m).Wire()) toB.Enqueue(w);
        }
    }

    /// <summary>A private session, asked for by <paramref name="a"/>.</summary>
    public static void Establish(Party a, Party b)
    {
        Run(a, b, a.Start());
        Assert.Equal(MessageState.Encrypted, a.Conversation.State);
        Assert.Equal(MessageState.Encrypted, b.Conversation.State);
    }
}
