using Otr.Core.Tests.Conversations;

namespace Otr.Core.Tests.Kit;

/// <summary>A real conversation, message by message, each with the receiver's state just before it.</summary>
internal sealed class Recording
{
    /// <param name="Receiver">Settings and account of the receiver; its state is <paramref name="Before"/>.</param>
    public sealed record Moment(string Name, Party Receiver, byte[] Before, byte[] Wire)
    {
        /// <summary>The receiver at that moment, on its own.</summary>
        public Party Fresh()
        {
            var party = new Party(9, Receiver.Settings, account: Receiver.Account) { Now = Receiver.Now };
            party.Restore(Before);
            return party;
        }
    }

    private static readonly Lazy<Recording> Three = new(() => new Recording(3)), Two = new(() => new Recording(2));

    private readonly List<Moment> _moments = [];

    private Recording(int version)
    {
        var settings = new OtrSettings { Policy = version == 3 ? OtrPolicy.AllowV3 : OtrPolicy.AllowV2 };
        Party a = new(1, settings), b = new(2, settings);
        var query = a.Start().Wire().Single();
        var commit = Take("query", b, query).Single();
        var key = Take("commit", a, commit).Single();
        var reveal = Take("key", b, key).Single();
        var signature = Take("reveal", a, reveal).Single();
        Take("signature", b, signature);
        Take("data", b, a.Send("hello").Wire().Single());
        Take("reply", a, b.Send("hello yourself").Wire().Single());
        Take("reveals", b, a.Send("with a revealed key").Wire().Single());
        Take("extra key", a, b.Step(new OtrInput.ExtraKeyRequested(7, "use"u8.ToArray())).Wire().Single());
        Take("smp 1q", b, a.Step(new OtrInput.SmpStartRequested("s"u8.ToArray(), "q?"u8.ToArray())).Wire().Single());
        var token = b.All.OfType<OtrEffect.SmpAnswerNeeded>().Single().Token;
        var message3 = Take("smp 2", a, b.Step(new OtrInput.SmpAnswerRequested(token, "s"u8.ToArray())).Wire().Single()).Single();
        var message4 = Take("smp 3", b, message3).Single();
        Take("smp 4", a, message4);
        Take("disconnect", b, a.End().Wire().Single());
    }

    public static Recording Of(int version) => version == 3 ? Three.Value : Two.Value;

    public IReadOnlyList<Moment> Moments => _moments;

    public Moment this[string name] => _moments.Single(m => m.Name == name);

    private IEnumerable<ReadOnlyMemory<byte>> Take(string name, Party receiver, ReadOnlyMemory<byte> wire)
    {
        _moments.Add(new Moment(name, receiver, receiver.Snapshot(), wire.ToArray()));
        return receiver.Receive(wire).Wire();
    }
}
