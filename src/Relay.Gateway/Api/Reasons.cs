namespace Relay.Gateway.Api;

/// <summary>The stable reasons of <c>google.rpc.ErrorInfo</c> in the domain "relay.v1". Never renamed, only added to.</summary>
public static class Reasons
{
    /// <summary>The domain of every reason.</summary>
    public const string Domain = "relay.v1";

    /// <summary>A request does not fit its description; the field violations say where.</summary>
    public const string InvalidArgument = "INVALID_ARGUMENT";
    /// <summary>The request id was used for another request.</summary>
    public const string RequestIdReused = "REQUEST_ID_REUSED";
    /// <summary>No API key was sent.</summary>
    public const string KeyMissing = "KEY_MISSING";
    /// <summary>The API key is unknown, wrong, expired or revoked.</summary>
    public const string KeyInvalid = "KEY_INVALID";
    /// <summary>The key's scope does not cover the method.</summary>
    public const string ScopeMissing = "SCOPE_MISSING";
    /// <summary>The key is limited to other endpoints.</summary>
    public const string EndpointNotAllowed = "ENDPOINT_NOT_ALLOWED";
    /// <summary>There is no such endpoint.</summary>
    public const string EndpointNotFound = "ENDPOINT_NOT_FOUND";
    /// <summary>There is no such conversation.</summary>
    public const string ConversationNotFound = "CONVERSATION_NOT_FOUND";
    /// <summary>There is no such key.</summary>
    public const string KeyNotFound = "KEY_NOT_FOUND";
    /// <summary>The endpoint's id, or its account on that network, is taken.</summary>
    public const string EndpointExists = "ENDPOINT_EXISTS";
    /// <summary>The request made a key already, and its secret is not kept.</summary>
    public const string KeyExists = "KEY_EXISTS";
    /// <summary>The peer ended the session: nothing is sent until it is ended here too, or begun anew.</summary>
    public const string SessionFinished = "SESSION_FINISHED";
    public const string NotTrusted = "NOT_TRUSTED";
    /// <summary>No private session stands, and one is required.</summary>
    public const string EncryptionRequired = "ENCRYPTION_REQUIRED";
    /// <summary>The endpoint's policy allows no version of OTR.</summary>
    public const string OtrNotAllowed = "OTR_NOT_ALLOWED";
    /// <summary>Too many messages wait for the key exchange; send it with a new request id once the session stands.</summary>
    public const string TooManyHeld = "TOO_MANY_HELD";
    /// <summary>No question of the peer waits for this answer.</summary>
    public const string SmpNotExpected = "SMP_NOT_EXPECTED";
    /// <summary>Refused for its rate; a later request with a new id may pass.</summary>
    public const string RateLimited = "RATE_LIMITED";
    /// <summary>The stored conversation does not open: its seal fails.</summary>
    public const string ConversationQuarantined = "CONVERSATION_QUARANTINED";
    /// <summary>A bound of the server is reached; nothing was done.</summary>
    public const string Overloaded = "OVERLOADED";
    /// <summary>The server is draining or its store fails; nothing is known to have been done.</summary>
    public const string Unavailable = "UNAVAILABLE";
    /// <summary>A cursor or acknowledgement beyond what was given out.</summary>
    public const string CursorBeyondEnd = "CURSOR_BEYOND_END";
    /// <summary>Another bridge has taken over the endpoint's wire text.</summary>
    public const string StreamReplaced = "STREAM_REPLACED";
    /// <summary>A fault of the server.</summary>
    public const string Internal = "INTERNAL";
}
