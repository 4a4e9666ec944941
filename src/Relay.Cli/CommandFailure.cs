using System.Text.RegularExpressions;
using Grpc.Core;
using Relay.Client;
using Relay.Storage;

namespace Relay.Cli;

/// <summary>A command failed. The message, and a hint about what to do, are printed for the user.</summary>
public sealed partial class CommandFailure(int exitCode, string message, string? hint = null, string? reason = null, Exception? inner = null)
    : Exception(message, inner)
{
    public int Code => exitCode;

    /// <summary>Further messages, if there is more than one cause.</summary>
    public IReadOnlyList<string> More { get; init; } = [];

    public string? Hint => hint;

    /// <summary>The stable reason that the server gave; null or empty if the failure is not the server's.</summary>
    public string? Reason => reason;

    /// <summary>Converts a start that was refused; one that may succeed later has the code by which supervisors start again.</summary>
    public static CommandFailure From(RelayStartException e) =>
        new(e.IsTemporary ? ExitCode.StartAgain : ExitCode.Failed, e.Message, inner: e);

    /// <summary>How to get the key that a method needs.</summary>
    private static string OfScope(string message) =>
        Scope().Match(message) is { Success: true } named
            ? $"'relay keys create --scope {named.Groups[1].Value} --out {named.Groups[1].Value}.key' makes one with an admin key; then name it with "
                + $"--key-file {named.Groups[1].Value}.key."
            : "With an admin key, 'relay keys create' creates a key that may do this.";

    [GeneratedRegex(@"needs a key of scope ([a-z]+)")]
    private static partial Regex Scope();

    /// <summary>Converts a refusal of the server, with the exit code and a hint for its status.</summary>
    public static CommandFailure From(RelayException e) => From(e, e.Message);

    /// <inheritdoc cref="From(RelayException)"/>
    /// <param name="message">The server's message, with the names that the user typed.</param>
    public static CommandFailure From(RelayException e, string message) => e.Code switch
    {
        StatusCode.Unavailable or StatusCode.DeadlineExceeded => new(ExitCode.Unreachable, "The server cannot be reached or is not ready.",
            "Start it with 'relay serve', or name another with --server. 'relay doctor' shows details.", e.Reason, e),
        StatusCode.Unauthenticated => new(ExitCode.Denied, message,
            "Name the file of the key with --key-file or RELAY_KEY_FILE. The first admin key is admin.key in the server's data directory.",
            e.Reason, e),
        StatusCode.PermissionDenied => new(ExitCode.Denied, message, OfScope(e.Message), e.Reason, e),
        StatusCode.NotFound => new(ExitCode.NotFound, message, e.Reason switch
        {
            "ENDPOINT_NOT_FOUND" => "'relay endpoints list' shows those that the key allows.",
            "KEY_NOT_FOUND" => "'relay keys list' shows them.",
            "SUBSCRIPTION_NOT_FOUND" => "'relay subscriptions list ENDPOINT' shows those of an endpoint.",
            "FILE_NOT_FOUND" => "'relay files list ENDPOINT' shows those of an endpoint.",
            _ => null,
        }, e.Reason, e),
        StatusCode.AlreadyExists => new(ExitCode.AlreadyExists, message, null, e.Reason, e),
        StatusCode.InvalidArgument or StatusCode.OutOfRange => new(ExitCode.Usage, message, null, e.Reason, e),
        StatusCode.FailedPrecondition or StatusCode.ResourceExhausted or StatusCode.Aborted
            => new(ExitCode.Refused, message, null, e.Reason, e),
        _ => new(ExitCode.Failed, message.Length > 0 ? message : e.Code.ToString(), null, e.Reason, e),
    };
}
