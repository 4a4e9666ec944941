using System.IO.Compression;
using Grpc.Net.Compression;

namespace Grpc.AspNetCore.Server;

/// <summary>Options of the services of a server.</summary>
public class GrpcServiceOptions
{
    /// <summary>Bytes of a message that is sent; null for no limit.</summary>
    public int? MaxSendMessageSize { get; set; }

    /// <summary>Bytes of a message that is received, also once decompressed; null for no limit. 4 MiB unless set.</summary>
    public int? MaxReceiveMessageSize { get; set; } = Wire.GrpcProtocol.DefaultMaxReceiveMessageSize;

    /// <summary>Whether the status of an unforeseen exception tells its message. Off: it may hold what is not the client's.</summary>
    public bool? EnableDetailedErrors { get; set; }

    /// <summary>The algorithms for messages; gzip unless changed.</summary>
    public IList<ICompressionProvider> CompressionProviders { get; set; } = [new GzipCompressionProvider(CompressionLevel.Fastest)];

    /// <summary>The algorithm for responses, where the client takes it; null for none.</summary>
    public string? ResponseCompressionAlgorithm { get; set; }

    /// <summary>The level of compression; null for the algorithm's own.</summary>
    public CompressionLevel? ResponseCompressionLevel { get; set; }

    /// <summary>What every call passes, in order, before its handler.</summary>
    public InterceptorCollection Interceptors { get; } = [];

    /// <summary>Whether calls of unknown services are left to other endpoints instead of answered with UNIMPLEMENTED.</summary>
    public bool? IgnoreUnknownServices { get; set; }
}
