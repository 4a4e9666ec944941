using Otr.Core.Smp;
using Otr.Core.V3.Smp;
using Otr.Core.Wire;

namespace Otr.Core.V3;

/// <summary>Versions 2 and 3, which differ in instance tags: version 2 has none.</summary>
internal sealed class V3Protocol : ProtocolVersion
{
    /// <summary>The only one: it has no state.</summary>
    public static V3Protocol Instance { get; } = new();

    public override int MaxOverhead => DataChannel.Overhead + OtrLimits.MaxPendingReveals * SessionKeys.MacKeyLength;

    public override bool HasIdentifiedFragments => false;

    public override void Receive(in StepContext step, in MessageHeader header, ReadOnlySpan<byte> message, ref OtrReader body)
    {
        if (header.HasTags && !InstanceTags.AreValid(step, header, body, MessageType.DhCommit)) return;
        switch (header.Type)
        {
            case MessageType.Data:
                ReceiveData(step, header, message, ref body);
                break;
            case MessageType.DhCommit or MessageType.DhKey or MessageType.RevealSignature or MessageType.Signature:
                V3KeyExchange.Receive(step, header, ref body);
                break;
            default:
                step.Reject(RejectReason.UnknownType);
                break;
        }
    }

    public override void Start(in StepContext step, byte version, bool isOffer) => V3KeyExchange.Start(step, version, isOffer);

    public override SessionProtocol? ReadSession(ref OtrReader reader, byte version, byte format, OtrSettings settings)
    {
        var keys = KeyRing.ReadSnapshot(ref reader, format);
        if (keys is not null && SmpState.TryReadSnapshot(ref reader, SmpArithmetic3.Instance, out var smp))
            return new V3Session(version, keys, smp);
        keys?.Dispose();
        return null;
    }

    private static void ReceiveData(in StepContext step, in MessageHeader header, ReadOnlySpan<byte> whole, ref OtrReader body)
    {
        var isParsed = DataMessage.TryParse(whole, ref body, out var message);
        // Read, not trusted: it only keeps us quiet.
        var quiet = (message.Flags & MessageHeader.IgnoreUnreadable) != 0;
        if (!isParsed)
        {
            Unreadable.OnMalformedData(step, quiet);
            return;
        }
        var session = step.State.Find(header.SenderTag);
        if (session?.Protocol is V3Session keys && keys.Version == header.Version) keys.Receive(step, session, message, quiet);
        else Unreadable.OnNoSession(step, quiet);
    }
}
