namespace Grpc.Wire;

/// <summary>Names and limits of gRPC over HTTP/2 (the protocol text "PROTOCOL-HTTP2").</summary>
internal static class GrpcProtocol
{
    public const string ContentType = "application/grpc";
    public const string StatusHeader = "grpc-status";
    public const string MessageHeader = "grpc-message";
    public const string StatusDetailsHeader = "grpc-status-details-bin";
    public const string TimeoutHeader = "grpc-timeout";
    public const string EncodingHeader = "grpc-encoding";
    public const string AcceptEncodingHeader = "grpc-accept-encoding";

    /// <summary>In the metadata of one call: the algorithm that its own messages are compressed with. Never sent.</summary>
    public const string CompressionRequestHeader = "grpc-internal-encoding-request";

    public const string Identity = "identity";

    /// <summary>Bytes before every message: the compressed flag and a big-endian length.</summary>
    public const int FrameHeaderSize = 5;

    /// <summary>Bytes of one received message unless configured.</summary>
    public const int DefaultMaxReceiveMessageSize = 4 * 1024 * 1024;

    /// <summary>The longest delay that a timer takes; a deadline beyond it is as good as none.</summary>
    public static readonly TimeSpan MaxTimer = TimeSpan.FromDays(49);

    /// <summary>Whether a content-type is gRPC with any message format.</summary>
    public static bool IsGrpcContentType(string? contentType) =>
        contentType is not null &&
        contentType.StartsWith(ContentType, StringComparison.OrdinalIgnoreCase) &&
        (contentType.Length == ContentType.Length || contentType[ContentType.Length] is '+' or ';');
}
