using System.Collections.Concurrent;
using Grpc.Core;
using Grpc.Core.Interceptors;
using GrpcTests.Echo;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcTests;

/// <summary>Interceptors of both sides, for all kinds of call.</summary>
public sealed class InterceptorTests
{
    [Fact]
    public async Task Server_interceptors_see_every_call_in_order()
    {
        var seen = new ConcurrentQueue<string>();
        await using TestHost host = await TestHost.StartAsync(
            options =>
            {
                options.Interceptors.Add<Recorder>("outer");
                options.Interceptors.Add<Recorder>("inner");
            },
            services => services.AddSingleton(seen));
        await host.Echo.UnaryAsync(new EchoRequest());
        using AsyncClientStreamingCall<EchoRequest, EchoResponse> client = host.Echo.ClientStream();
        await client.RequestStream.CompleteAsync();
        await client;
        using AsyncServerStreamingCall<EchoResponse> server = host.Echo.ServerStream(new EchoRequest());
        Assert.False(await server.ResponseStream.MoveNext(default));
        using AsyncDuplexStreamingCall<EchoRequest, EchoResponse> duplex = host.Echo.Duplex();
        await duplex.RequestStream.CompleteAsync();
        Assert.False(await duplex.ResponseStream.MoveNext(default));
        Assert.Equal(
            ["outer Unary", "inner Unary", "outer ClientStream", "inner ClientStream", "outer ServerStream", "inner ServerStream", "outer Duplex", "inner Duplex"],
            seen);
    }

    [Fact]
    public async Task A_server_interceptor_can_refuse()
    {
        await using TestHost host = await TestHost.StartAsync(options => options.Interceptors.Add<Refusal>());
        RpcException exception = await Assert.ThrowsAsync<RpcException>(() => host.Echo.UnaryAsync(new EchoRequest()).ResponseAsync);
        Assert.Equal(new Status(StatusCode.PermissionDenied, "no"), exception.Status);
    }

    [Fact]
    public async Task Client_interceptors_pass_in_order_and_may_change_the_call()
    {
        await using TestHost host = await TestHost.StartAsync();
        var seen = new List<string>();
        CallInvoker invoker = host.Channel.Intercept(new Naming("first", seen), new Naming("second", seen)).Intercept(metadata =>
        {
            metadata.Add("x-added", "here");
            return metadata;
        });
        using AsyncUnaryCall<EchoResponse> call = new EchoService.EchoServiceClient(invoker).UnaryAsync(new EchoRequest { Text = "metadata" });
        await call;
        Assert.Equal("here", (await call.ResponseHeadersAsync).GetValue("x-added"));
        Assert.Equal(["first", "second"], seen);
    }

    private sealed class Recorder(string name, ConcurrentQueue<string> seen) : Interceptor
    {
        private void Note(ServerCallContext context) => seen.Enqueue($"{name} {context.Method.Split('/')[^1]}");

        public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
        {
            Note(context);
            return continuation(request, context);
        }

        public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation)
        {
            Note(context);
            return continuation(requestStream, context);
        }

        public override Task ServerStreamingServerHandler<TRequest, TResponse>(TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
        {
            Note(context);
            return continuation(request, responseStream, context);
        }

        public override Task DuplexStreamingServerHandler<TRequest, TResponse>(IAsyncStreamReader<TRequest> requestStream, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, DuplexStreamingServerMethod<TRequest, TResponse> continuation)
        {
            Note(context);
            return continuation(requestStream, responseStream, context);
        }
    }

    private sealed class Refusal : Interceptor
    {
        public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation) =>
            throw new RpcException(new Status(StatusCode.PermissionDenied, "no"));
    }

    private sealed class Naming(string name, List<string> seen) : Interceptor
    {
        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(TRequest request, ClientInterceptorContext<TRequest, TResponse> context, AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
        {
            seen.Add(name);
            return continuation(request, context);
        }
    }
}
