using System.Diagnostics;
using Relay.Gateway.Auth;

namespace Relay.Gateway.Services;

/// <summary>Converts scopes between the API's enum and <see cref="KeyScope"/>.</summary>
internal static class KeyScopes
{
    public static bool TryParse(V1.Scope message, out KeyScope scope)
    {
        scope = message switch
        {
            V1.Scope.Bot => KeyScope.Bot,
            V1.Scope.Bridge => KeyScope.Bridge,
            V1.Scope.Admin => KeyScope.Admin,
            _ => 0,
        };
        return scope != 0;
    }

    public static V1.Scope ToMessage(KeyScope scope) => scope switch
    {
        KeyScope.Bot => V1.Scope.Bot,
        KeyScope.Bridge => V1.Scope.Bridge,
        KeyScope.Admin => V1.Scope.Admin,
        _ => throw new UnreachableException($"KeyScope {(int)scope}"),
    };
}
