using System.Buffers.Binary;
using Otr.Core.Wire;

namespace Otr.Core;

/// <summary>One step: the state, what may be used from outside, and the effects asked for so far.</summary>
internal readonly ref struct StepContext(ConversationState state, in OtrEnvironment environment, List<OtrEffect> effects)
{
    private readonly OtrEnvironment _environment = environment;

    public ConversationState State { get; } = state;
    public List<OtrEffect> Effects { get; } = effects;
    public OtrEnvironment Environment => _environment;
    public long Now => _environment.NowMilliseconds;
    public IRandomSource Random => _environment.Random;
    public uint OwnTag => State.Account.InstanceTag;

    public void Add(OtrEffect effect) => Effects.Add(effect);

    /// <summary>Notes that what a snapshot holds has changed.</summary>
    public void Changed() => State.IsDirty = true;

    public void Reject(RejectReason reason, bool quiet = false) => Add(new OtrEffect.Rejected(reason, quiet));

    /// <summary>The caller's budget said no: the step ends without having changed anything but what time changes, and may be repeated.</summary>
    public void Postpone()
    {
        State.IsPostponed = true;
        Reject(RejectReason.Overloaded, quiet: true);
    }

    /// <summary>Sends a binary message, in fragments if the network has a limit; they have the tags of its header.</summary>
    public void SendMessage(ReadOnlySpan<byte> message)
    {
        var wire = Envelope.Encode(message);
        var limit = State.Settings.MaxWireBytes;
        if (limit <= 0 || wire.Length <= limit) Add(new OtrEffect.SendWire(wire));
        else
        {
            var reader = new OtrReader(message);
            var header = MessageHeader.Read(ref reader);
            uint? identifier = header.HasIdentifiedFragments ? DrawIdentifier() : null;
            foreach (var fragment in Fragmenter.Cut(wire, limit, (byte)header.Version, header.SenderTag, header.ReceiverTag, identifier))
                Add(new OtrEffect.SendWire(fragment));
        }
    }

    private uint DrawIdentifier()
    {
        Span<byte> drawn = stackalloc byte[sizeof(uint)];
        Random.Fill(drawn);
        return BinaryPrimitives.ReadUInt32BigEndian(drawn);
    }

    /// <summary>Sends text that is no binary message: never fragmented.</summary>
    public void SendText(byte[] text) => Add(new OtrEffect.SendWire(text));
}
