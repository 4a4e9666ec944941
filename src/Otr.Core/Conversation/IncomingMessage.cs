using Otr.Core.Wire;

namespace Otr.Core;

/// <summary>A binary message: decoded, its header checked, handed to the key exchange or to the data channel.</summary>
internal static class IncomingMessage
{
    /// <param name="body">From <c>?OTR:</c> on.</param>
    /// <param name="fragmentSender">
    /// The sender tag of the fragments it came in, which must be that of the message. Their receiver was us or everybody,
    /// and so must the message's be: libotr repeats a Commit to everybody in fragments for one.
    /// </param>
    public static void Receive(in StepContext step, ReadOnlySpan<byte> body, uint? fragmentSender)
    {
        var buffer = new OtrWriter(Math.Min(body.Length, 4096));
        try
        {
            if (Envelope.TryDecode(body, ref buffer)) Dispatch(step, buffer.Written, fragmentSender);
            else
            {
                FragmentedText.ForgetAll(step);
                Unreadable.OnUndecodable(step, body[WireClassifier.Encoded.Length..]);
            }
        }
        finally { buffer.Dispose(); }
    }

    private static void Dispatch(in StepContext step, ReadOnlySpan<byte> message, uint? fragmentSender)
    {
        var reader = new OtrReader(message);
        var header = MessageHeader.Read(ref reader);
        Handle(step, header, message, ref reader, fragmentSender);
        if (fragmentSender is null && !step.State.IsPostponed) FragmentedText.Forget(step, header.SenderTag);
    }

    private static void Handle(in StepContext step, in MessageHeader header, ReadOnlySpan<byte> message, ref OtrReader reader, uint? fragmentSender)
    {
        if (reader.Failed || (fragmentSender is { } sender && header.Version == 3 && sender != header.SenderTag))
        {
            step.Reject(RejectReason.Malformed);
            return;
        }
        if (!step.State.Versions.Has(header.Version))
        {
            step.Reject(RejectReason.VersionNotAllowed);
            return;
        }
        if (header.Version == 3 && !TagsAreValid(step, header, reader)) return;
        switch (header.Type)
        {
            case MessageType.Data:
                IncomingData.Receive(step, header, message, ref reader);
                break;
            case MessageType.DhCommit or MessageType.DhKey or MessageType.RevealSignature or MessageType.Signature:
                KeyExchange.Receive(step, header, ref reader);
                break;
            default:
                step.Reject(RejectReason.UnknownType);
                break;
        }
    }

    /// <summary>Spec v3, "Instance tags": sender at least 0x100; receiver ours, or 0 in a D-H Commit.</summary>
    /// <param name="rest">Behind the header.</param>
    private static bool TagsAreValid(in StepContext step, in MessageHeader header, OtrReader rest)
    {
        if (header.SenderTag < MessageHeader.MinInstanceTag) step.Reject(RejectReason.InvalidInstanceTag);
        else if (header.ReceiverTag == step.OwnTag) return true;
        else if (header.ReceiverTag == 0 && header.Type == MessageType.DhCommit) return true;
        else if (header.ReceiverTag < MessageHeader.MinInstanceTag) step.Reject(RejectReason.InvalidInstanceTag);
        else if (header.Type != MessageType.Data) step.Reject(RejectReason.OtherInstance, quiet: true);
        else Unreadable.OnOtherInstance(step, header, quiet: (rest.ReadByte() & DataMessage.IgnoreUnreadable) != 0);
        return false;
    }
}
