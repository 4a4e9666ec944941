using System.IO.Compression;
using Grpc.Wire;
using Microsoft.AspNetCore.Http;

namespace Grpc.AspNetCore.Server;

/// <summary>The options as they apply to the methods of one service, resolved once.</summary>
internal sealed class ServerMethodOptions
{
    public ServerMethodOptions(GrpcServiceOptions options, TimeProvider timeProvider)
    {
        MaxSendMessageSize = options.MaxSendMessageSize;
        MaxReceiveMessageSize = options.MaxReceiveMessageSize;
        EnableDetailedErrors = options.EnableDetailedErrors ?? false;
        Compression = new CompressionAlgorithms(options.CompressionProviders);
        if (!Compression.TryGet(options.ResponseCompressionAlgorithm, out _))
            throw new InvalidOperationException($"No compression provider is configured for '{options.ResponseCompressionAlgorithm}'.");
        ResponseCompressionAlgorithm = options.ResponseCompressionAlgorithm;
        ResponseCompressionLevel = options.ResponseCompressionLevel;
        Interceptors = [.. options.Interceptors];
        TimeProvider = timeProvider;
    }

    public int? MaxSendMessageSize { get; }

    public int? MaxReceiveMessageSize { get; }

    public bool EnableDetailedErrors { get; }

    public CompressionAlgorithms Compression { get; }

    public string? ResponseCompressionAlgorithm { get; }

    public CompressionLevel? ResponseCompressionLevel { get; }

    public IReadOnlyList<InterceptorRegistration> Interceptors { get; }

    public TimeProvider TimeProvider { get; }

    public void WriteCommonHeaders(HttpResponse response)
    {
        response.ContentType = GrpcProtocol.ContentType;
        response.Headers[GrpcProtocol.AcceptEncodingHeader] = Compression.AcceptEncoding;
    }
}
