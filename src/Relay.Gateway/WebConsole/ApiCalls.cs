using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Relay.Gateway.Api;
using Relay.Gateway.Auth;
using Relay.Gateway.Services;
using Relay.Gateway.Telemetry;

namespace Relay.Gateway.WebConsole;

/// <summary>
/// Calls the API's services in this process as a client would: the same rule of scopes, the same interceptors (metrics, errors, drain,
/// limits, audit), the same services. The console has no other way to anything.
/// </summary>
internal sealed class ApiCalls(IServiceProvider services)
{
    private readonly Lazy<Interceptor[]> _interceptors = new(() =>
        [.. CallInterceptors.All.Select(type => (Interceptor)ActivatorUtilities.CreateInstance(services, type))]);
    private readonly Lazy<AdminService> _admin = Lazily<AdminService>(services);
    private readonly Lazy<EndpointService> _endpoints = Lazily<EndpointService>(services);
    private readonly Lazy<ConversationService> _conversations = Lazily<ConversationService>(services);
    private readonly Lazy<IdentityService> _identities = Lazily<IdentityService>(services);
    private readonly Lazy<SubscriptionService> _subscriptions = Lazily<SubscriptionService>(services);

    public AdminService Admin => _admin.Value;
    public EndpointService Endpoints => _endpoints.Value;
    public ConversationService Conversations => _conversations.Value;
    public IdentityService Identities => _identities.Value;
    public SubscriptionService Subscriptions => _subscriptions.Value;

    /// <summary>Whether a caller's scopes open a method, such as <c>AdminService/ListNodes</c>.</summary>
    public static bool May(Principal caller, string method) =>
        MethodRules.Of("/relay.v1." + method) is { } rule && rule.Scopes.Any(caller.Has);

    /// <summary>Calls a method of one of the services.</summary>
    /// <exception cref="RpcException">As the API's clients get it.</exception>
    public Task<TResponse> CallAsync<TRequest, TResponse>(
        Principal caller, UnaryServerMethod<TRequest, TResponse> method, TRequest request, CancellationToken cancellation)
        where TRequest : class where TResponse : class
    {
        var name = $"/relay.v1.{method.Method.DeclaringType!.Name}/{method.Method.Name}";
        if (MethodRules.Of(name) is not { } rule || !rule.Scopes.Any(caller.Has))
        {
            services.GetRequiredService<GatewayMetrics>().Denied("scope");
            throw ApiErrors.PermissionDenied(Reasons.ScopeMissing, "This key has no scope for that.");
        }
        var continuation = method;
        foreach (var interceptor in _interceptors.Value.Reverse())
        {
            var next = continuation;
            continuation = (r, c) => interceptor.UnaryServerHandler(r, c, next);
        }
        var http = new DefaultHttpContext { RequestServices = services, User = new(new PrincipalIdentity(caller)) };
        return continuation(request, new ConsoleCallContext(name, http, cancellation));
    }

    private static Lazy<T> Lazily<T>(IServiceProvider services) => new(() => ActivatorUtilities.CreateInstance<T>(services));

    /// <summary>What a service sees of a call: who makes it, and until when.</summary>
    private sealed class ConsoleCallContext : ServerCallContext
    {
        private readonly string _method;
        private readonly CancellationToken _cancellation;

        public ConsoleCallContext(string method, HttpContext http, CancellationToken cancellation)
        {
            (_method, _cancellation) = (method, cancellation);
            // Where GetHttpContext finds it.
            UserState["__HttpContext"] = http;
        }

        protected override string MethodCore => _method;
        protected override string HostCore => "console";
        protected override string PeerCore => "console";
        protected override DateTime DeadlineCore => DateTime.MaxValue;
        protected override Metadata RequestHeadersCore { get; } = [];
        protected override CancellationToken CancellationTokenCore => _cancellation;
        protected override Metadata ResponseTrailersCore { get; } = [];
        protected override Status StatusCore { get; set; }
        protected override WriteOptions? WriteOptionsCore { get; set; }
        protected override AuthContext AuthContextCore { get; } = new(null, []);

        protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) =>
            throw new NotSupportedException("Services of this server make no calls of their own.");

        protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders) => Task.CompletedTask;
    }
}
