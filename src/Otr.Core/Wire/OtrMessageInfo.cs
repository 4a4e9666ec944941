using System.Buffers;
using System.Buffers.Text;

namespace Otr.Core.Wire;

/// <summary>What a text from or for the network is, as its first bytes say.</summary>
public enum OtrMessageType
{
    /// <summary>Ordinary text without a whitespace tag.</summary>
    Plaintext,
    /// <summary>Ordinary text with a whitespace tag, which offers a session.</summary>
    Tagged,
    /// <summary>A query message, which asks for a session.</summary>
    Query,
    /// <summary>An error message, which is not authenticated.</summary>
    Error,
    /// <summary>A piece of a message; what it is of shows when it is complete.</summary>
    Fragment,
    /// <summary>A message of a key exchange: AKE (versions 2 and 3) or DAKE (version 4).</summary>
    Ake,
    /// <summary>A data message: text, a heartbeat, SMP or the end of a session.</summary>
    Data,
    /// <summary>It begins as OTR does and is nothing that is known.</summary>
    Unknown,
}

/// <summary>What a text from or for the network is. Nothing is verified: this is for statistics.</summary>
/// <param name="Version">2, 3 or 4 of <see cref="OtrMessageType.Ake"/> and <see cref="OtrMessageType.Data"/>; otherwise 0.</param>
public readonly record struct OtrMessageInfo(OtrMessageType Type, int Version)
{
    // Version SHORT and type BYTE are three bytes, which are four characters of base64.
    private const int HeaderCharacters = 4;

    /// <summary>Looks at the beginning of a text; its length does not matter.</summary>
    public static OtrMessageInfo Of(ReadOnlySpan<byte> text) => WireClassifier.Classify(text, out var body) switch
    {
        WireKind.Plaintext => new(OtrMessageType.Plaintext, 0),
        WireKind.TaggedPlaintext => new(OtrMessageType.Tagged, 0),
        WireKind.Query => new(OtrMessageType.Query, 0),
        WireKind.Error => new(OtrMessageType.Error, 0),
        WireKind.Fragment => new(OtrMessageType.Fragment, 0),
        WireKind.Encoded => OfHeader(body[WireClassifier.Encoded.Length..]),
        _ => new(OtrMessageType.Unknown, 0),
    };

    private static OtrMessageInfo OfHeader(ReadOnlySpan<byte> encoded)
    {
        Span<byte> header = stackalloc byte[3];
        if (encoded.Length < HeaderCharacters
            || Base64.DecodeFromUtf8(encoded[..HeaderCharacters], header, out _, out int written) != OperationStatus.Done || written != header.Length
            || header[0] != 0 || header[1] is not (>= 2 and <= 4 and var version))
            return new(OtrMessageType.Unknown, 0);
        return (MessageType)header[2] switch
        {
            MessageType.Data => new(OtrMessageType.Data, version),
            MessageType.DhCommit or MessageType.DhKey or MessageType.RevealSignature or MessageType.Signature or MessageType.Identity
                or MessageType.AuthR or MessageType.AuthI => new(OtrMessageType.Ake, version),
            _ => new(OtrMessageType.Unknown, 0),
        };
    }
}
