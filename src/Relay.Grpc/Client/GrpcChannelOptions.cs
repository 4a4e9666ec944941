using Grpc.Core;
using Grpc.Net.Compression;

namespace Grpc.Net.Client;

/// <summary>Options of a channel.</summary>
public sealed class GrpcChannelOptions
{
    /// <summary>How the channel is secured; null to follow the scheme of the address.</summary>
    public ChannelCredentials? Credentials { get; set; }

    /// <summary>Bytes of a message that is sent; null for no limit.</summary>
    public int? MaxSendMessageSize { get; set; }

    /// <summary>Bytes of a message that is received, also once decompressed; null for no limit. 4 MiB unless set.</summary>
    public int? MaxReceiveMessageSize { get; set; } = Wire.GrpcProtocol.DefaultMaxReceiveMessageSize;

    /// <summary>The algorithms for messages; null for gzip.</summary>
    public IList<ICompressionProvider>? CompressionProviders { get; set; }

    /// <summary>The client to use instead of one of the channel's own; not with <see cref="HttpHandler"/>.</summary>
    public HttpClient? HttpClient { get; set; }

    /// <summary>The handler to use instead of one of the channel's own; not with <see cref="HttpClient"/>.</summary>
    public HttpMessageHandler? HttpHandler { get; set; }

    /// <summary>Whether the channel disposes the client or handler that it was given.</summary>
    public bool DisposeHttpClient { get; set; }

    /// <summary>Whether calls that the caller cancelled throw <see cref="OperationCanceledException"/>, not <see cref="RpcException"/>.</summary>
    public bool ThrowOperationCanceledOnCancellation { get; set; }

    /// <summary>Whether <see cref="CallCredentials"/> are also sent in cleartext; without it they are left out there.</summary>
    public bool UnsafeUseInsecureChannelCallCredentials { get; set; }

    /// <summary>Finds the clock (<see cref="TimeProvider"/>) for deadlines; null for the system's.</summary>
    public IServiceProvider? ServiceProvider { get; set; }
}
