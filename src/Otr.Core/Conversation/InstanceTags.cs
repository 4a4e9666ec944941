using Otr.Core.Wire;

namespace Otr.Core;

/// <summary>Whether a message is for us, by its instance tags (spec v3, "Instance tags"; version 4 has the same rules).</summary>
internal static class InstanceTags
{
    /// <summary>
    /// Sender at least 0x100; receiver ours, or 0 in the first message of a key exchange. False: the message was rejected.
    /// </summary>
    /// <param name="body">Behind the header.</param>
    /// <param name="first">The type that may go to all instances.</param>
    public static bool AreValid(in StepContext step, in MessageHeader header, OtrReader body, MessageType first)
    {
        if (header.SenderTag < MessageHeader.MinInstanceTag) step.Reject(RejectReason.InvalidInstanceTag);
        else if (header.ReceiverTag == step.OwnTag) return true;
        else if (header.ReceiverTag == 0 && header.Type == first) return true;
        else if (header.ReceiverTag < MessageHeader.MinInstanceTag) step.Reject(RejectReason.InvalidInstanceTag);
        else if (header.Type != MessageType.Data) step.Reject(RejectReason.OtherInstance, quiet: true);
        else Unreadable.OnOtherInstance(step, header, quiet: (body.ReadByte() & MessageHeader.IgnoreUnreadable) != 0);
        return false;
    }
}
