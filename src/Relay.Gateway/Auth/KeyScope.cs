namespace Relay.Gateway.Auth;

/// <summary>
/// The permissions of a key. A key has exactly one scope, so that no single secret gives access to both plaintext and wire text.
/// </summary>
public enum KeyScope
{
    /// <summary>Plaintext, never wire text.</summary>
    Bot = 1,
    /// <summary>Wire text, never plaintext.</summary>
    Bridge = 2,
    /// <summary>Endpoints, keys, and the state of conversations; neither plaintext nor wire text.</summary>
    Admin = 3,
}
