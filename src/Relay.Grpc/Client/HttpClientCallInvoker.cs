using Grpc.Core;

namespace Grpc.Net.Client;

/// <summary>Starts the calls of a channel.</summary>
internal sealed class HttpClientCallInvoker(GrpcChannel channel) : CallInvoker
{
    public override TResponse BlockingUnaryCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        using AsyncUnaryCall<TResponse> call = AsyncUnaryCall(method, host, options, request);
        // Blocking is what this method is for; nothing in the library calls it.
        return call.GetAwaiter().GetResult();
    }

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        var call = new ClientCall<TRequest, TResponse>(channel, method, host, options);
        Task<TResponse> response = call.StartSingle(call.SingleRequest(request));
        return new AsyncUnaryCall<TResponse>(response, call.ResponseHeaders, call.GetStatus, call.GetTrailers, call.Dispose);
    }

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        var call = new ClientCall<TRequest, TResponse>(channel, method, host, options);
        IAsyncStreamReader<TResponse> responses = call.StartStream(call.SingleRequest(request));
        return new AsyncServerStreamingCall<TResponse>(responses, call.ResponseHeaders, call.GetStatus, call.GetTrailers, call.Dispose);
    }

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        var call = new ClientCall<TRequest, TResponse>(channel, method, host, options);
        var requests = new RequestStreamWriter<TRequest, TResponse>(call);
        Task<TResponse> response = call.StartSingle(requests.Content);
        return new AsyncClientStreamingCall<TRequest, TResponse>(requests, response, call.ResponseHeaders, call.GetStatus, call.GetTrailers, call.Dispose);
    }

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        var call = new ClientCall<TRequest, TResponse>(channel, method, host, options);
        var requests = new RequestStreamWriter<TRequest, TResponse>(call);
        IAsyncStreamReader<TResponse> responses = call.StartStream(requests.Content);
        return new AsyncDuplexStreamingCall<TRequest, TResponse>(requests, responses, call.ResponseHeaders, call.GetStatus, call.GetTrailers, call.Dispose);
    }
}
