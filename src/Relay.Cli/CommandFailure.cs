using Grpc.Core;
using Relay.Client;

namespace Relay.Cli;

/// <summary>Why a command ends without being done: said to the user, with what can be done about it.</summary>
public sealed class CommandFailure(int exitCode, string message, string? hint = null, string? reason = null, Exception? inner = null) : Exception(message, inner)
{
    public int Code => exitCode;

    /// <summary>What else is wrong, if it is more than one thing.</summary>
    public IReadOnlyList<string> More { get; init; } = [];

    public string? Hint => hint;

    /// <summary>The server's stable reason, if it is the server's.</summary>
    public string? Reason => reason;

    /// <summary>A server's refusal, as a failure of the command.</summary>
    public static CommandFailure From(RelayException e) => e.Code switch
    {
        StatusCode.Unavailable or StatusCode.DeadlineExceeded => new(ExitCode.Unreachable, "The server cannot be reached or is not ready.", "Is it running? Start it with 'relay serve', or name another with --server. 'relay doctor' looks closer.", e.Reason, e),
        StatusCode.Unauthenticated => new(ExitCode.Denied, e.Message, "Name the key's file with --key-file or RELAY_KEY_FILE. The first admin key is admin.key in the server's data directory.", e.Reason, e),
        StatusCode.PermissionDenied => new(ExitCode.Denied, e.Message, "'relay keys create --scope …' makes a key for this, with an admin key.", e.Reason, e),
        StatusCode.NotFound => new(ExitCode.NotFound, e.Message, null, e.Reason, e),
        StatusCode.AlreadyExists => new(ExitCode.AlreadyExists, e.Message, null, e.Reason, e),
        StatusCode.InvalidArgument or StatusCode.OutOfRange => new(ExitCode.Usage, e.Message, null, e.Reason, e),
        StatusCode.FailedPrecondition or StatusCode.ResourceExhausted or StatusCode.Aborted => new(ExitCode.Refused, e.Message, null, e.Reason, e),
        _ => new(ExitCode.Failed, e.Message.Length > 0 ? e.Message : e.Code.ToString(), null, e.Reason, e),
    };
}
