using Grpc.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Grpc.AspNetCore.Server;

/// <summary>Makes an endpoint for every method, and for everything of gRPC that has none.</summary>
internal sealed class ServiceRoutes(IServiceProvider services, ILoggerFactory loggerFactory)
{
    private static readonly string[] Post = [HttpMethods.Post];
    private readonly HashSet<string> _mapped = new(StringComparer.Ordinal);
    private readonly List<Type> _serviceTypes = [];
    private bool _fallbackMapped;

    /// <summary>The service types that were mapped, in order.</summary>
    public IReadOnlyList<Type> ServiceTypes => _serviceTypes;

    /// <summary>The full names of the services that were mapped.</summary>
    public IReadOnlyCollection<string> ServiceNames => _mapped;

    public GrpcServiceEndpointConventionBuilder Map<TService>(IEndpointRouteBuilder builder)
        where TService : class
    {
        GrpcServiceOptions<TService> ownOptions = services.GetRequiredService<IOptions<GrpcServiceOptions<TService>>>().Value;
        GrpcServiceOptions serviceOptions = ownOptions.IsConfigured ? ownOptions : services.GetRequiredService<IOptions<GrpcServiceOptions>>().Value;
        ServerMethodOptions options = Resolve(serviceOptions);
        var binder = new ServiceMethodBinder<TService>(options, loggerFactory.CreateLogger("Grpc.AspNetCore.Server.ServerCallHandler"));
        binder.Bind();
        _serviceTypes.Add(typeof(TService));
        var endpoints = new List<IEndpointConventionBuilder>();
        foreach (BoundMethod bound in binder.Methods)
        {
            RoutePattern pattern = RoutePatternFactory.Parse(bound.Method.FullName);
            IEndpointConventionBuilder endpoint = builder.MapMethods(pattern.RawText!, Post, bound.Handler);
            endpoint.Add(e =>
            {
                e.DisplayName = "gRPC - " + bound.Method.FullName;
                e.Metadata.Add(new GrpcMethodMetadata(typeof(TService), bound.Method));
                foreach (object attribute in typeof(TService).GetCustomAttributes(inherit: true))
                    e.Metadata.Add(attribute);
                foreach (object attribute in MethodAttributes(typeof(TService), bound.Method.Name))
                    e.Metadata.Add(attribute);
            });
            endpoints.Add(endpoint);
            if (_mapped.Add(bound.Method.ServiceName))
                MapUnimplemented(builder, options, bound.Method.ServiceName + "/{unimplementedMethod}", "Method is unimplemented.");
        }
        if (!_fallbackMapped && !(serviceOptions.IgnoreUnknownServices ?? false))
        {
            _fallbackMapped = true;
            MapUnimplemented(builder, options, "{unimplementedService}/{unimplementedMethod}", "Service is unimplemented.");
        }
        return new GrpcServiceEndpointConventionBuilder(endpoints);
    }

    private ServerMethodOptions Resolve(GrpcServiceOptions options) =>
        new(options, services.GetService<TimeProvider>() ?? TimeProvider.System);

    private static object[] MethodAttributes(Type serviceType, string methodName) =>
        [.. serviceType.GetMethods().Where(method => method.Name == methodName).SelectMany(method => method.GetCustomAttributes(inherit: true))];

    private static void MapUnimplemented(IEndpointRouteBuilder builder, ServerMethodOptions options, string path, string detail)
    {
        RoutePattern pattern = RoutePatternFactory.Parse(path, defaults: null, parameterPolicies: new { unimplementedMethod = new GrpcRequestConstraint() });
        IEndpointConventionBuilder endpoint = builder.Map(pattern, async httpContext =>
        {
            if (await ServerCallHandler.CheckProtocolAsync(httpContext, options).ConfigureAwait(false))
                await ServerCallHandler.UnimplementedAsync(httpContext, options, detail).ConfigureAwait(false);
        });
        endpoint.Add(e =>
        {
            e.DisplayName = "gRPC - " + detail;
            ((RouteEndpointBuilder)e).Order = int.MaxValue;
            e.Metadata.Add(new HttpMethodMetadata(Post));
        });
    }

    /// <summary>Only gRPC requests, so that other endpoints with two segments keep theirs.</summary>
    private sealed class GrpcRequestConstraint : IRouteConstraint
    {
        public bool Match(HttpContext? httpContext, IRouter? route, string routeKey, RouteValueDictionary values, RouteDirection routeDirection) =>
            httpContext is null || GrpcProtocol.IsGrpcContentType(httpContext.Request.ContentType);
    }
}
