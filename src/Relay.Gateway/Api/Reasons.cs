namespace Relay.Gateway.Api;

/// <summary>
/// The stable reasons of <c>google.rpc.ErrorInfo</c> in the domain "relay.v1". Reasons may be added; none is renamed or removed.
/// </summary>
public static class Reasons
{
    /// <summary>The domain of every reason.</summary>
    public const string Domain = "relay.v1";

    /// <summary>A field of the request is invalid; the field violations name it.</summary>
    public const string InvalidArgument = "INVALID_ARGUMENT";
    /// <summary>The bytes that were sent are not a message of the method, or not what their compression says. Nothing was done.</summary>
    public const string MalformedMessage = "MALFORMED_MESSAGE";
    /// <summary>The request id was already used for a different request.</summary>
    public const string RequestIdReused = "REQUEST_ID_REUSED";
    /// <summary>No API key was sent.</summary>
    public const string KeyMissing = "KEY_MISSING";
    /// <summary>The API key is unknown, wrong, expired or revoked.</summary>
    public const string KeyInvalid = "KEY_INVALID";
    /// <summary>The access token or the client certificate is not valid here.</summary>
    public const string TokenInvalid = "TOKEN_INVALID";
    /// <summary>A limit of the caller is reached; the quota failure names it. Nothing was done.</summary>
    public const string QuotaExceeded = "QUOTA_EXCEEDED";
    /// <summary>The call would have to be recorded in the audit log, which cannot be written. Nothing was done.</summary>
    public const string AuditUnavailable = "AUDIT_UNAVAILABLE";
    /// <summary>The key to be changed is revoked or has expired.</summary>
    public const string KeyNotValid = "KEY_NOT_VALID";
    /// <summary>The key is valid and cannot be deleted: revoke it first.</summary>
    public const string KeyStillValid = "KEY_STILL_VALID";
    /// <summary>The key's scope does not cover the method.</summary>
    public const string ScopeMissing = "SCOPE_MISSING";
    /// <summary>The key is limited to other endpoints.</summary>
    public const string EndpointNotAllowed = "ENDPOINT_NOT_ALLOWED";
    /// <summary>The API has no such path, or not with this verb.</summary>
    public const string RouteNotFound = "ROUTE_NOT_FOUND";
    /// <summary>There is no such endpoint, or it is deleted or has expired.</summary>
    public const string EndpointNotFound = "ENDPOINT_NOT_FOUND";
    /// <summary>The endpoint is deleted: it can be undeleted until it is purged, and cannot be changed.</summary>
    public const string EndpointDeleted = "ENDPOINT_DELETED";
    /// <summary>The endpoint has had as many identity keys as it can have: create another with a new key.</summary>
    public const string TooManyRotations = "TOO_MANY_ROTATIONS";
    /// <summary>There are more of them than can be put in this order: filter them, or list them in order of name.</summary>
    public const string TooManyToSort = "TOO_MANY_TO_SORT";
    /// <summary>The export does not open: it was changed, or the passphrase or key is another.</summary>
    public const string ExportNotOpened = "EXPORT_NOT_OPENED";
    /// <summary>The endpoint is on another network than the export, whose peers' addresses mean nothing there.</summary>
    public const string OtherNetwork = "OTHER_NETWORK";
    /// <summary>The endpoint has no such subscription.</summary>
    public const string SubscriptionNotFound = "SUBSCRIPTION_NOT_FOUND";
    /// <summary>The endpoint has a subscription of this name.</summary>
    public const string SubscriptionExists = "SUBSCRIPTION_EXISTS";
    /// <summary>The endpoint has as many subscriptions as it may have.</summary>
    public const string TooManySubscriptions = "TOO_MANY_SUBSCRIPTIONS";
    /// <summary>
    /// The subscription does not reply, because its shard moves or the store fails; whether the request was carried out is not known.
    /// </summary>
    public const string SubscriptionUnavailable = "SUBSCRIPTION_UNAVAILABLE";
    /// <summary>The event was not delivered on this stream, or is settled already: it was left as it is.</summary>
    public const string EventNotHeld = "EVENT_NOT_HELD";
    /// <summary>Events go to the endpoint's subscriptions only: read one of these.</summary>
    public const string EventStreamDisabled = "EVENT_STREAM_DISABLED";
    /// <summary>There is no such conversation.</summary>
    public const string ConversationNotFound = "CONVERSATION_NOT_FOUND";
    /// <summary>There is no such verification; only the latest are remembered.</summary>
    public const string VerificationNotFound = "VERIFICATION_NOT_FOUND";
    /// <summary>There is no such message, or it is not remembered any more.</summary>
    public const string MessageNotFound = "MESSAGE_NOT_FOUND";
    /// <summary>The message cannot be taken back: it is not held, or not any more.</summary>
    public const string MessageNotHeld = "MESSAGE_NOT_HELD";
    /// <summary>There is no such file, its life is over, or its offer has not been received.</summary>
    public const string FileNotFound = "FILE_NOT_FOUND";
    /// <summary>The endpoint or the peer has as many files, or bytes of files, as it may have: delete some.</summary>
    public const string TooManyFiles = "TOO_MANY_FILES";
    /// <summary>The file's state does not allow it.</summary>
    public const string FileWrongState = "FILE_WRONG_STATE";
    /// <summary>The data does not begin where the file or blob ends so far, or has another length than the portion there.</summary>
    public const string FileWrongOffset = "FILE_WRONG_OFFSET";
    /// <summary>Other data is stored at this place of the file; it was left as it is.</summary>
    public const string FileDataDiffers = "FILE_DATA_DIFFERS";
    /// <summary>The file has another digest than the request says.</summary>
    public const string FileDigestDiffers = "FILE_DIGEST_DIFFERS";
    /// <summary>The part of the blob is not of this file, or was changed on its way; it was not stored.</summary>
    public const string BlobNotAuthentic = "BLOB_NOT_AUTHENTIC";
    /// <summary>The stored file cannot be decrypted: its rows are damaged.</summary>
    public const string FileUnreadable = "FILE_UNREADABLE";
    /// <summary>The peer has shown no such key.</summary>
    public const string IdentityNotFound = "IDENTITY_NOT_FOUND";
    /// <summary>There is no such key.</summary>
    public const string KeyNotFound = "KEY_NOT_FOUND";
    /// <summary>The etag is not the current one: somebody else has changed the resource since.</summary>
    public const string EtagMismatch = "ETAG_MISMATCH";
    /// <summary>The endpoint's id, or its account on that network, is already in use.</summary>
    public const string EndpointExists = "ENDPOINT_EXISTS";
    /// <summary>A key was already created with this request id; its secret is not stored and cannot be returned again.</summary>
    public const string KeyExists = "KEY_EXISTS";
    /// <summary>The peer ended the session: nothing is sent until the session is ended here too, or restarted.</summary>
    public const string SessionFinished = "SESSION_FINISHED";
    /// <summary>The policy sends text to trusted keys only, and the session's key is not trusted.</summary>
    public const string NotTrusted = "NOT_TRUSTED";
    /// <summary>The peer has shown another key than before, and it must be decided about it first.</summary>
    public const string KeyHeld = "KEY_HELD";
    /// <summary>No private session is established, and the policy requires one.</summary>
    public const string EncryptionRequired = "ENCRYPTION_REQUIRED";
    /// <summary>The endpoint's policy allows no version of OTR.</summary>
    public const string OtrNotAllowed = "OTR_NOT_ALLOWED";
    /// <summary>
    /// Too many messages wait for the key exchange, or for a decision about the peer's key; send it with a new request id after that.
    /// </summary>
    public const string TooManyHeld = "TOO_MANY_HELD";
    /// <summary>The verification is not open, or does not wait for an answer.</summary>
    public const string SmpNotExpected = "SMP_NOT_EXPECTED";
    /// <summary>Refused by a rate limit; a later request with a new id may be accepted.</summary>
    public const string RateLimited = "RATE_LIMITED";
    /// <summary>The stored conversation cannot be decrypted: its authentication tag is wrong.</summary>
    public const string ConversationQuarantined = "CONVERSATION_QUARANTINED";
    /// <summary>A limit of the server is reached; nothing was done.</summary>
    public const string Overloaded = "OVERLOADED";
    /// <summary>The server is draining or its store fails; whether the request was carried out is not known.</summary>
    public const string Unavailable = "UNAVAILABLE";
    /// <summary>
    /// One conversation does not reply, because its node hangs or its shard moves; the server itself serves others. Whether the
    /// request was carried out is not known.
    /// </summary>
    public const string ConversationUnavailable = "CONVERSATION_UNAVAILABLE";
    /// <summary>A cursor or acknowledgement is beyond the last sequence of the stream.</summary>
    public const string CursorBeyondEnd = "CURSOR_BEYOND_END";
    /// <summary>Another bridge stream has opened the endpoint, and delivers its wire text from now on.</summary>
    public const string StreamReplaced = "STREAM_REPLACED";
    /// <summary>A bug of the server; its log has the details.</summary>
    public const string Internal = "INTERNAL";
}
