using System.Buffers.Text;

namespace Otr.Core.Wire;

/// <summary>The envelope of a binary message: <c>?OTR:</c> base64 <c>.</c> (spec v3, "OTR Messages"; checklist A1).</summary>
internal static class Envelope
{
    /// <summary>Bytes of the wire text of a message of this many bytes.</summary>
    public static int EncodedLength(int length) => WireClassifier.Encoded.Length + Base64.GetMaxEncodedToUtf8Length(length) + 1;

    /// <summary>The wire text of a binary message.</summary>
    public static byte[] Encode(ReadOnlySpan<byte> message)
    {
        var prefix = WireClassifier.Encoded;
        var wire = GC.AllocateUninitializedArray<byte>(prefix.Length + Base64.GetMaxEncodedToUtf8Length(message.Length) + 1);
        prefix.CopyTo(wire);
        Base64.EncodeToUtf8(message, wire.AsSpan(prefix.Length), out _, out var written);
        wire[prefix.Length + written] = (byte)'.';
        return wire;
    }

    /// <summary>
    /// Decodes the base64 run into <paramref name="writer"/>. Blanks and line ends inside the run are passed over, as
    /// transports wrap lines; any other foreign character, wrong padding or a missing end is malformed. What follows
    /// the end is ignored, as in libotr.
    /// </summary>
    /// <param name="body">From <c>?OTR:</c> on.</param>
    public static bool TryDecode(ReadOnlySpan<byte> body, ref OtrWriter writer)
    {
        var run = body[WireClassifier.Encoded.Length..];
        var end = run.IndexOf((byte)'.');
        if (end < 0) return false;
        run = run[..end];
        var room = writer.Reserve(Base64.GetMaxDecodedFromUtf8Length(run.Length));
        // The BCL's decoder takes blanks and line ends inside the run and nothing else outside the alphabet.
        var status = Base64.DecodeFromUtf8(run, room, out var consumed, out var written);
        if (status != System.Buffers.OperationStatus.Done || consumed != run.Length || written == 0) return false;
        writer.Truncate(written);
        return true;
    }
}
