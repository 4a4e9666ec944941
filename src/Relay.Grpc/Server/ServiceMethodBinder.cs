using System.Reflection;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Wire;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Grpc.AspNetCore.Server;

/// <summary>
/// Collects the methods of a service type as the generated <c>BindService</c> names them, each with a handler that takes
/// the service from the services of the call, or makes one.
/// </summary>
internal sealed class ServiceMethodBinder<TService>(ServerMethodOptions options, ILogger logger) : ServiceBinderBase
    where TService : class
{
    private readonly List<BoundMethod> _methods = [];
    private ObjectFactory? _factory;

    public IReadOnlyList<BoundMethod> Methods => _methods;

    /// <summary>Calls the generated method that binds <typeparamref name="TService"/>.</summary>
    public void Bind()
    {
        for (Type? type = typeof(TService); type is not null; type = type.BaseType)
        {
            if (type.GetCustomAttribute<BindServiceMethodAttribute>(inherit: false) is not { } attribute)
                continue;
            MethodInfo bind = attribute.BindType.GetMethod(
                attribute.BindMethodName,
                BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static,
                [typeof(ServiceBinderBase), type])
                ?? throw new InvalidOperationException($"{attribute.BindType} has no method {attribute.BindMethodName}.");
            bind.Invoke(null, [this, null]);
            return;
        }
        throw new InvalidOperationException($"{typeof(TService).Name} does not derive from a generated service base.");
    }

    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler)
    {
        var onService = Find<Func<TService, TRequest, ServerCallContext, Task<TResponse>>>(method, typeof(TRequest), typeof(ServerCallContext));
        UnaryServerMethod<TRequest, TResponse> next = async (request, context) =>
        {
            await using Activated<TService> service = Activate(context);
            return await onService(service.Instance, request, context).ConfigureAwait(false);
        };
        foreach (InterceptorRegistration registration in options.Interceptors.Reverse())
        {
            UnaryServerMethod<TRequest, TResponse> inner = next;
            next = async (request, context) =>
            {
                await using Activated<Interceptor> interceptor = Activate(registration, context);
                return await interceptor.Instance.UnaryServerHandler(request, context, inner).ConfigureAwait(false);
            };
        }
        Add(method, async call =>
        {
            TRequest request = await ReadSingleAsync(method, call).ConfigureAwait(false);
            await WriteSingleAsync(method, call, await next(request, call).ConfigureAwait(false)).ConfigureAwait(false);
        });
    }

    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler)
    {
        var onService = Find<Func<TService, IAsyncStreamReader<TRequest>, ServerCallContext, Task<TResponse>>>(method, typeof(IAsyncStreamReader<TRequest>), typeof(ServerCallContext));
        ClientStreamingServerMethod<TRequest, TResponse> next = async (requests, context) =>
        {
            await using Activated<TService> service = Activate(context);
            return await onService(service.Instance, requests, context).ConfigureAwait(false);
        };
        foreach (InterceptorRegistration registration in options.Interceptors.Reverse())
        {
            ClientStreamingServerMethod<TRequest, TResponse> inner = next;
            next = async (requests, context) =>
            {
                await using Activated<Interceptor> interceptor = Activate(registration, context);
                return await interceptor.Instance.ClientStreamingServerHandler(requests, context, inner).ConfigureAwait(false);
            };
        }
        Add(method, async call =>
        {
            await using var requests = new RequestStreamReader<TRequest>(call, Reader(method, call));
            await WriteSingleAsync(method, call, await next(requests, call).ConfigureAwait(false)).ConfigureAwait(false);
        });
    }

    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler)
    {
        var onService = Find<Func<TService, TRequest, IServerStreamWriter<TResponse>, ServerCallContext, Task>>(method, typeof(TRequest), typeof(IServerStreamWriter<TResponse>), typeof(ServerCallContext));
        ServerStreamingServerMethod<TRequest, TResponse> next = async (request, responses, context) =>
        {
            await using Activated<TService> service = Activate(context);
            await onService(service.Instance, request, responses, context).ConfigureAwait(false);
        };
        foreach (InterceptorRegistration registration in options.Interceptors.Reverse())
        {
            ServerStreamingServerMethod<TRequest, TResponse> inner = next;
            next = async (request, responses, context) =>
            {
                await using Activated<Interceptor> interceptor = Activate(registration, context);
                await interceptor.Instance.ServerStreamingServerHandler(request, responses, context, inner).ConfigureAwait(false);
            };
        }
        Add(method, async call =>
        {
            TRequest request = await ReadSingleAsync(method, call).ConfigureAwait(false);
            var responses = new ResponseStreamWriter<TResponse>(call, method.ResponseMarshaller.ContextualSerializer);
            await next(request, responses, call).ConfigureAwait(false);
        });
    }

    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler)
    {
        var onService = Find<Func<TService, IAsyncStreamReader<TRequest>, IServerStreamWriter<TResponse>, ServerCallContext, Task>>(method, typeof(IAsyncStreamReader<TRequest>), typeof(IServerStreamWriter<TResponse>), typeof(ServerCallContext));
        DuplexStreamingServerMethod<TRequest, TResponse> next = async (requests, responses, context) =>
        {
            await using Activated<TService> service = Activate(context);
            await onService(service.Instance, requests, responses, context).ConfigureAwait(false);
        };
        foreach (InterceptorRegistration registration in options.Interceptors.Reverse())
        {
            DuplexStreamingServerMethod<TRequest, TResponse> inner = next;
            next = async (requests, responses, context) =>
            {
                await using Activated<Interceptor> interceptor = Activate(registration, context);
                await interceptor.Instance.DuplexStreamingServerHandler(requests, responses, context, inner).ConfigureAwait(false);
            };
        }
        Add(method, async call =>
        {
            await using var requests = new RequestStreamReader<TRequest>(call, Reader(method, call));
            var responses = new ResponseStreamWriter<TResponse>(call, method.ResponseMarshaller.ContextualSerializer);
            await next(requests, responses, call).ConfigureAwait(false);
        });
    }

    private void Add(IMethod method, Func<HttpContextServerCallContext, Task> invoke) =>
        _methods.Add(new BoundMethod(method, new ServerCallHandler(method, options, invoke, logger).HandleAsync));

    /// <summary>The method of the service type itself, so that its attributes and overrides count.</summary>
    private static TDelegate Find<TDelegate>(IMethod method, params Type[] parameters)
        where TDelegate : Delegate
    {
        MethodInfo found = typeof(TService).GetMethod(method.Name, BindingFlags.Public | BindingFlags.Instance, parameters)
            ?? throw new InvalidOperationException($"{typeof(TService).Name} has no method {method.Name} for {method.FullName}.");
        return found.CreateDelegate<TDelegate>();
    }

    private static Activated<Interceptor> Activate(InterceptorRegistration registration, ServerCallContext context) =>
        registration.Activate(context.GetHttpContext().RequestServices);

    private Activated<TService> Activate(ServerCallContext context)
    {
        IServiceProvider services = context.GetHttpContext().RequestServices;
        if (services.GetService<TService>() is { } registered)
            return new Activated<TService>(registered, IsOwned: false);
        _factory ??= ActivatorUtilities.CreateFactory(typeof(TService), []);
        return new Activated<TService>((TService)_factory(services, []), IsOwned: true);
    }

    private MessageReader<TRequest> Reader<TRequest, TResponse>(Method<TRequest, TResponse> method, HttpContextServerCallContext call)
        where TRequest : class =>
        new(call.HttpContext.Request.BodyReader, method.RequestMarshaller.ContextualDeserializer, options.MaxReceiveMessageSize, call.RequestCompression);

    private async ValueTask<TRequest> ReadSingleAsync<TRequest, TResponse>(Method<TRequest, TResponse> method, HttpContextServerCallContext call)
        where TRequest : class
    {
        MessageReader<TRequest> reader = Reader(method, call);
        TRequest request = await reader.ReadAsync(call.CancellationToken).ConfigureAwait(false)
            ?? throw new RpcException(new Status(StatusCode.Internal, "Incomplete message."));
        await reader.ReadEndAsync(call.CancellationToken).ConfigureAwait(false);
        return request;
    }

    private static Task WriteSingleAsync<TRequest, TResponse>(Method<TRequest, TResponse> method, HttpContextServerCallContext call, TResponse? response)
        where TResponse : class
    {
        // A handler may set another status and answer nothing.
        if (call.Status.StatusCode != StatusCode.OK)
            return Task.CompletedTask;
        if (response is null)
            throw new RpcException(new Status(StatusCode.Cancelled, "No message returned from method."));
        return call.Output.WriteAsync(response, method.ResponseMarshaller.ContextualSerializer, call.WriteOptions, flush: false, call.CancellationToken);
    }
}

/// <summary>A method with what handles its requests.</summary>
internal sealed record BoundMethod(IMethod Method, Microsoft.AspNetCore.Http.RequestDelegate Handler);
