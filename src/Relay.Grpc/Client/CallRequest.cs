using System.Net;
using Grpc.Core;
using Grpc.Net.Compression;
using Grpc.Wire;

namespace Grpc.Net.Client;

/// <summary>The HTTP request of a call ("PROTOCOL-HTTP2", "Requests").</summary>
internal static class CallRequest
{
    public static async ValueTask<HttpRequestMessage> CreateAsync(GrpcChannel channel, IMethod method, string? host, CallOptions options, CallEnd end, HttpContent content)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(channel.Address, method.FullName))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        if (host is not null)
            request.Headers.Host = host;
        request.Headers.TryAddWithoutValidation("te", "trailers");
        request.Headers.TryAddWithoutValidation(GrpcProtocol.AcceptEncodingHeader, channel.Compression.AcceptEncoding);
        if (Compression(channel, options) is { } compression)
            request.Headers.TryAddWithoutValidation(GrpcProtocol.EncodingHeader, compression.EncodingName);
        if (end.TimeLeft is { } left)
            request.Headers.TryAddWithoutValidation(GrpcProtocol.TimeoutHeader, GrpcTimeout.Format(left));
        AddMetadata(request, options.Headers);
        if (!request.Headers.Contains("user-agent"))
            request.Headers.TryAddWithoutValidation("user-agent", GrpcChannel.UserAgent);
        await AddCredentialsAsync(request, channel, method, options, end.Token).ConfigureAwait(false);
        return request;
    }

    /// <summary>What the metadata of a call asks its messages to be compressed with; null for identity.</summary>
    public static ICompressionProvider? Compression(GrpcChannel channel, CallOptions options)
    {
        string? name = options.Headers?.GetValue(GrpcProtocol.CompressionRequestHeader);
        return channel.Compression.TryGet(name, out ICompressionProvider? provider)
            ? provider
            : throw new InvalidOperationException($"No compression provider is configured for '{name}'.");
    }

    private static async ValueTask AddCredentialsAsync(HttpRequestMessage request, GrpcChannel channel, IMethod method, CallOptions options, CancellationToken cancellationToken)
    {
        if (!channel.SendsCallCredentials)
            return;
        IReadOnlyList<AsyncAuthInterceptor> interceptors = CallCredentialsReader.Read(channel.CallCredentials, options.Credentials);
        if (interceptors.Count == 0)
            return;
        var context = new AuthInterceptorContext(new Uri(channel.Address, method.ServiceName).AbsoluteUri, method.Name, cancellationToken);
        var metadata = new Metadata();
        foreach (AsyncAuthInterceptor interceptor in interceptors)
            await interceptor(context, metadata).ConfigureAwait(false);
        AddMetadata(request, metadata);
    }

    private static void AddMetadata(HttpRequestMessage request, Metadata? metadata)
    {
        if (metadata is null)
            return;
        foreach (Metadata.Entry entry in metadata)
        {
            if (MetadataHeaders.IsReserved(entry.Key))
                continue;
            string value = MetadataHeaders.ToHeaderValue(entry);
            // To HttpClient some names ("expires", "allow") are headers of the content.
            if (!request.Headers.TryAddWithoutValidation(entry.Key, value))
                request.Content!.Headers.TryAddWithoutValidation(entry.Key, value);
        }
    }
}
