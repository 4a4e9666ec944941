using System.IO.Compression;
using System.Reflection;
using System.Text;
using Google.Protobuf;
using Grpc.AspNetCore.Server;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;
using Grpc.Net.Compression;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Relay.Gateway.Api;

/// <summary>
/// Binds the methods of gRPC services as Grpc.AspNetCore does, but answers bytes that are not the method's message with INVALID_ARGUMENT and
/// MALFORMED_MESSAGE. By itself it answers UNKNOWN, which clients take for a fault of the server, and retry. Interceptors come too late:
/// the request of a unary call is decoded before them.
/// </summary>
internal static class MethodBinding
{
    private const string Replaced = "BinderServiceMethodProvider`1";

    /// <summary>Call it after AddGrpc, whose binder it takes the place of.</summary>
    /// <exception cref="InvalidOperationException">Grpc.AspNetCore has changed, and this class has to follow.</exception>
    public static void RefuseMalformedMessages(this IServiceCollection services)
    {
        var binder = services.SingleOrDefault(d => d.ServiceType == typeof(IServiceMethodProvider<>) && d.ImplementationType?.Name == Replaced)
            ?? throw new InvalidOperationException($"Grpc.AspNetCore has no {Replaced} any more: {nameof(MethodBinding)} must replace another.");
        services.Remove(binder);
        services.AddSingleton(typeof(IServiceMethodProvider<>), typeof(MethodProvider<>));
        services.Configure<GrpcServiceOptions>(grpc =>
        {
            grpc.CompressionProviders.Clear();
            grpc.CompressionProviders.Add(new CheckedCompression(new GzipCompressionProvider(CompressionLevel.Fastest)));
            grpc.CompressionProviders.Add(new CheckedCompression(new DeflateCompressionProvider(CompressionLevel.Fastest)));
        });
    }

    private static Marshaller<T> Checked<T>(Marshaller<T> marshaller) => new(marshaller.ContextualSerializer, context =>
    {
        try
        {
            return marshaller.ContextualDeserializer(context);
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or DecoderFallbackException)
        {
            throw ApiErrors.MalformedMessage(e);
        }
    });

    private sealed class MethodProvider<TService> : IServiceMethodProvider<TService> where TService : class
    {
        public void OnServiceMethodDiscovery(ServiceMethodProviderContext<TService> context)
        {
            for (var type = typeof(TService); type is not null; type = type.BaseType)
            {
                if (type.GetCustomAttribute<BindServiceMethodAttribute>(inherit: false) is not { } bind) continue;
                var method = bind.BindType.GetMethod(
                    bind.BindMethodName, BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static, [typeof(ServiceBinderBase), type]);
                method!.Invoke(null, [new Binder<TService>(context), null]);
                return;
            }
            throw new InvalidOperationException($"{typeof(TService).Name} is no gRPC service: no base class of it binds methods.");
        }
    }

    private sealed class Binder<TService>(ServiceMethodProviderContext<TService> context) : ServiceBinderBase where TService : class
    {
        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, Grpc.Core.UnaryServerMethod<TRequest, TResponse>? handler)
        {
            var implementation = Find(method, typeof(TRequest), typeof(ServerCallContext));
            context.AddUnaryMethod(Checked(method), Metadata(implementation),
                implementation.CreateDelegate<Grpc.AspNetCore.Server.Model.UnaryServerMethod<TService, TRequest, TResponse>>());
        }

        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, Grpc.Core.ClientStreamingServerMethod<TRequest, TResponse>? handler)
        {
            var implementation = Find(method, typeof(IAsyncStreamReader<TRequest>), typeof(ServerCallContext));
            context.AddClientStreamingMethod(Checked(method), Metadata(implementation),
                implementation.CreateDelegate<Grpc.AspNetCore.Server.Model.ClientStreamingServerMethod<TService, TRequest, TResponse>>());
        }

        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, Grpc.Core.ServerStreamingServerMethod<TRequest, TResponse>? handler)
        {
            var implementation = Find(method, typeof(TRequest), typeof(IServerStreamWriter<TResponse>), typeof(ServerCallContext));
            context.AddServerStreamingMethod(Checked(method), Metadata(implementation),
                implementation.CreateDelegate<Grpc.AspNetCore.Server.Model.ServerStreamingServerMethod<TService, TRequest, TResponse>>());
        }

        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, Grpc.Core.DuplexStreamingServerMethod<TRequest, TResponse>? handler)
        {
            var implementation = Find(
                method, typeof(IAsyncStreamReader<TRequest>), typeof(IServerStreamWriter<TResponse>), typeof(ServerCallContext));
            context.AddDuplexStreamingMethod(Checked(method), Metadata(implementation),
                implementation.CreateDelegate<Grpc.AspNetCore.Server.Model.DuplexStreamingServerMethod<TService, TRequest, TResponse>>());
        }

        private static Method<TRequest, TResponse> Checked<TRequest, TResponse>(Method<TRequest, TResponse> method) =>
            new(method.Type, method.ServiceName, method.Name, MethodBinding.Checked(method.RequestMarshaller), method.ResponseMarshaller);

        private static MethodInfo Find(IMethod method, params Type[] parameters) =>
            typeof(TService).GetMethod(method.Name, BindingFlags.Public | BindingFlags.Instance, parameters)
            ?? throw new InvalidOperationException($"{typeof(TService).Name} has no method {method.Name}.");

        /// <summary>The class's before the method's, which take precedence. As Grpc.AspNetCore, it lets CORS preflights pass.</summary>
        private static List<object> Metadata(MethodInfo implementation) =>
        [
            .. typeof(TService).GetCustomAttributes(inherit: true), .. implementation.GetCustomAttributes(inherit: true),
            new HttpMethodMetadata(["POST"], acceptCorsPreflight: true),
        ];
    }

    /// <summary>Bytes that are not what their encoding says are no message either.</summary>
    private sealed class CheckedCompression(ICompressionProvider provider) : ICompressionProvider
    {
        public string EncodingName => provider.EncodingName;

        public Stream CreateCompressionStream(Stream stream, CompressionLevel? compressionLevel) =>
            provider.CreateCompressionStream(stream, compressionLevel);

        public Stream CreateDecompressionStream(Stream stream) => new CheckedStream(provider.CreateDecompressionStream(stream));
    }

    private sealed class CheckedStream(Stream inner) : Stream
    {
        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            try
            {
                return inner.Read(buffer);
            }
            catch (InvalidDataException e)
            {
                throw ApiErrors.MalformedMessage(e);
            }
        }

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing) inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
