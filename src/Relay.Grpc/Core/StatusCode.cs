namespace Grpc.Core;

/// <summary>The result of a call (gRPC "Status codes and their use").</summary>
public enum StatusCode
{
    /// <summary>Not an error.</summary>
    OK = 0,
    /// <summary>The call was cancelled, typically by the caller.</summary>
    Cancelled = 1,
    /// <summary>Unknown error.</summary>
    Unknown = 2,
    /// <summary>The client gave an argument that is wrong whatever the state of the system.</summary>
    InvalidArgument = 3,
    /// <summary>The deadline passed before the call could finish.</summary>
    DeadlineExceeded = 4,
    /// <summary>A requested entity was not found.</summary>
    NotFound = 5,
    /// <summary>The entity that a client tried to create exists already.</summary>
    AlreadyExists = 6,
    /// <summary>The caller is known but may not do this.</summary>
    PermissionDenied = 7,
    /// <summary>Some resource is used up: a quota, a size limit, memory.</summary>
    ResourceExhausted = 8,
    /// <summary>The system is not in the state that the call needs.</summary>
    FailedPrecondition = 9,
    /// <summary>The call was given up, typically for a concurrency conflict.</summary>
    Aborted = 10,
    /// <summary>The call went past a valid range.</summary>
    OutOfRange = 11,
    /// <summary>The method is not implemented here.</summary>
    Unimplemented = 12,
    /// <summary>An invariant of the system is broken.</summary>
    Internal = 13,
    /// <summary>The service is not available now; a retry may succeed.</summary>
    Unavailable = 14,
    /// <summary>Unrecoverable loss or corruption of data.</summary>
    DataLoss = 15,
    /// <summary>The call has no valid authentication credentials.</summary>
    Unauthenticated = 16,
}
