using Relay.Gateway.Audit;
using Relay.Gateway.Limits;

namespace Relay.Gateway.Api;

/// <summary>What every call passes, whether it comes over the network or from the console.</summary>
internal static class CallInterceptors
{
    /// <summary>The outermost first.</summary>
    public static IReadOnlyList<Type> All { get; } =
        [typeof(CallMetrics), typeof(ErrorInterceptor), typeof(DrainInterceptor), typeof(LimitInterceptor), typeof(AuditInterceptor)];
}
