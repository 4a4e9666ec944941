using Otr.Core.Smp;
using Otr.Core.V4.Ratchet;
using Otr.Core.V4.Smp;
using Otr.Core.Wire;

namespace Otr.Core.V4;

/// <summary>Version 4.</summary>
internal sealed class V4Protocol : ProtocolVersion
{
    public const byte Number = 4;

    /// <summary>Codes of errors that are sent (specification, "OTR Error Messages").</summary>
    private const string Unreadable1 = "ERROR_1: ", NotPrivate2 = "ERROR_2: ", Malformed3 = "ERROR_3: ";

    /// <summary>The only one: it has no state.</summary>
    public static V4Protocol Instance { get; } = new();

    public override int MaxOverhead => DataMessage4.Overhead + OtrLimits.MaxPendingReveals * MessageKeys.KeySize;

    public override bool HasIdentifiedFragments => true;

    public override void Receive(in StepContext step, in MessageHeader header, ReadOnlySpan<byte> message, ref OtrReader body)
    {
        if (!InstanceTags.AreValid(step, header, body, MessageType.Identity)) return;
        switch (header.Type)
        {
            case MessageType.Data:
                ReceiveData(step, header, message, ref body, isEarly: false);
                break;
            case MessageType.Identity or MessageType.AuthR or MessageType.AuthI:
                V4KeyExchange.Receive(step, header, message, ref body);
                break;
            default:
                step.Reject(RejectReason.UnknownType);
                break;
        }
    }

    public override void Start(in StepContext step, byte version, bool isOffer) => V4KeyExchange.Start(step, isOffer);

    public override SessionProtocol? ReadSession(ref OtrReader reader, byte version, byte format, OtrSettings settings)
    {
        var rotatedAt = (long)reader.ReadUInt64();
        var ratchet = DoubleRatchet.ReadSnapshot(ref reader);
        if (ratchet is not null && SmpState.TryReadSnapshot(ref reader, SmpArithmetic4.Of(settings), out var smp))
            return new V4Session(ratchet, smp, rotatedAt);
        ratchet?.Dispose();
        return null;
    }

    /// <param name="isEarly">It was held until the Auth-I came; what cannot be read then is dropped without a word.</param>
    internal static void ReceiveData(
        in StepContext step, in MessageHeader header, ReadOnlySpan<byte> whole, ref OtrReader body, bool isEarly)
    {
        var isParsed = DataMessage4.TryParse(whole, ref body, out var message);
        // Read, not trusted: it only keeps us quiet.
        var quiet = isEarly || (message.Flags & MessageHeader.IgnoreUnreadable) != 0;
        if (!isParsed)
        {
            Unreadable.OnMalformedData(step, quiet, Malformed3);
            return;
        }
        var session = step.State.Find(header.SenderTag);
        var keys = session?.Protocol as V4Session;
        var reason = keys?.Receive(step, session!, message);
        if (keys is not null && reason is null) return;
        // On a network that changes the order, the first messages of a session come before the message that completes its exchange.
        if (!isEarly && session?.Dake.Answer is { } answer && answer.TryHold(whole)) step.Changed();
        else if (reason is { } refused) Unreadable.OnRefused(step, refused, quiet, Unreadable1);
        else Unreadable.OnNoSession(step, quiet, NotPrivate2);
    }
}
