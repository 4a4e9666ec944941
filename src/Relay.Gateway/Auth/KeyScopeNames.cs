namespace Relay.Gateway.Auth;

/// <summary>The names of scopes in tokens, in files and in the command: the API's names in lowercase.</summary>
public static class KeyScopeNames
{
    /// <summary>All names, in the order of <see cref="KeyScope"/>.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Enum.GetValues<KeyScope>().Select(Of)];

    /// <summary>The name of a scope.</summary>
    public static string Of(KeyScope scope) => scope.ToString().ToLowerInvariant();

    /// <summary>The scope of a name; null if there is none.</summary>
    public static KeyScope? Find(string name)
    {
        foreach (var scope in Enum.GetValues<KeyScope>())
        {
            if (Of(scope) == name) return scope;
        }
        return null;
    }
}
