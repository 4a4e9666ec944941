namespace Relay.Gateway.Auth;

/// <summary>
/// What a caller may do. A caller may have several scopes, but never both <see cref="Bot"/> and <see cref="Bridge"/>, so that no single
/// secret gives access to both plaintext and wire text. <see cref="MethodRules"/> says what each is for.
/// </summary>
public enum KeyScope
{
    /// <summary>Plaintext, never wire text.</summary>
    Bot = 1,
    /// <summary>Wire text, never plaintext.</summary>
    Bridge = 2,
    /// <summary>Endpoints, subscriptions, and the state of conversations; neither text nor keys nor trust.</summary>
    Admin = 3,
    /// <summary>Reads the state of the server and the audit log; changes nothing.</summary>
    Monitor = 4,
    /// <summary>Peers' keys: verification, trust and notes; no text.</summary>
    Trust = 5,
    /// <summary>API keys, and the endpoints' identity keys.</summary>
    Keys = 6,
}
