using Otr.Core.Wire;

namespace Otr.Core;

/// <summary>A binary message: decoded, its header read, handed to the version that the header names.</summary>
internal static class IncomingMessage
{
    /// <param name="body">From <c>?OTR:</c> on.</param>
    /// <param name="fragments">
    /// What it came in. Their receiver was us or everybody, and so must the message's be: libotr repeats a Commit to everybody in fragments
    /// for one.
    /// </param>
    public static void Receive(in StepContext step, ReadOnlySpan<byte> body, FragmentOrigin? fragments)
    {
        var buffer = new OtrWriter(Math.Min(body.Length, 4096));
        try
        {
            if (Envelope.TryDecode(body, ref buffer)) Dispatch(step, buffer.Written, fragments);
            else
            {
                FragmentedText.ForgetAll(step);
                Unreadable.OnUndecodable(step, body[WireClassifier.Encoded.Length..]);
            }
        }
        finally { buffer.Dispose(); }
    }

    private static void Dispatch(in StepContext step, ReadOnlySpan<byte> message, FragmentOrigin? fragments)
    {
        var reader = new OtrReader(message);
        var header = MessageHeader.Read(ref reader);
        Handle(step, header, message, ref reader, fragments);
        if (fragments is null && !step.State.IsPostponed) FragmentedText.Forget(step, header.SenderTag);
    }

    private static void Handle(
        in StepContext step, in MessageHeader header, ReadOnlySpan<byte> message, ref OtrReader reader, FragmentOrigin? fragments)
    {
        if (reader.Failed || fragments?.Fits(header) == false)
        {
            step.Reject(RejectReason.Malformed);
            return;
        }
        if (step.State.Versions.Has(header.Version)) ProtocolVersion.Of(header.Version)!.Receive(step, header, message, ref reader);
        else step.Reject(RejectReason.VersionNotAllowed);
    }
}
