using System.Reflection;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Grpc.Reflection;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Microsoft.AspNetCore.Builder
{
    /// <summary>Maps reflection to an endpoint.</summary>
    public static class GrpcReflectionEndpointRouteBuilderExtensions
    {
        /// <summary>Maps <c>grpc.reflection.v1</c>; it tells of all services that the application has mapped.</summary>
        public static IEndpointConventionBuilder MapGrpcReflectionService(this IEndpointRouteBuilder builder) =>
            builder.MapGrpcService<ReflectionV1ServiceImpl>();
    }
}

namespace Microsoft.Extensions.DependencyInjection
{
    /// <summary>Adds reflection to the services of an application.</summary>
    public static class GrpcReflectionServiceExtensions
    {
        /// <summary>Adds <c>grpc.reflection.v1</c>.</summary>
        public static IServiceCollection AddGrpcReflection(this IServiceCollection services)
        {
            ArgumentNullException.ThrowIfNull(services);
            services.AddGrpc();
            // Made with the first call, when all services are mapped.
            services.TryAddSingleton(provider => new ReflectionV1ServiceImpl(Descriptors(provider.GetRequiredService<ServiceRoutes>().ServiceTypes)));
            return services;
        }

        private static IEnumerable<Google.Protobuf.Reflection.ServiceDescriptor> Descriptors(IEnumerable<Type> serviceTypes)
        {
            foreach (Type serviceType in serviceTypes)
            {
                BindServiceMethodAttribute? attribute = serviceType.GetCustomAttribute<BindServiceMethodAttribute>(inherit: true);
                // Code-first services have none.
                if (attribute?.BindType.GetProperty("Descriptor", BindingFlags.Public | BindingFlags.Static)?.GetValue(null) is Google.Protobuf.Reflection.ServiceDescriptor descriptor)
                    yield return descriptor;
            }
        }
    }
}
