using System.Diagnostics;

namespace Relay.Actors.Conversations;

/// <summary>One entry of a mailbox: a command with its caller, or (no command) word that a deadline has come.</summary>
/// <param name="Peer">Null: only an existing conversation is meant.</param>
/// <param name="continuations">How who waits for the answer goes on.</param>
internal sealed class Envelope(string? peer, Command? command, TaskCreationOptions continuations = TaskCreationOptions.RunContinuationsAsynchronously)
{
    private readonly TaskCompletionSource<ConversationReply> _reply = new(continuations);

    public string? Peer { get; } = peer;

    public Command? Command { get; } = command;

    public ActivityContext Caller { get; } = Activity.Current?.Context ?? default;

    /// <summary>Bytes of text that wait with it.</summary>
    public int Length { get; } = command?.TextLength ?? 0;

    public Task<ConversationReply> Reply => _reply.Task;

    /// <summary>Once.</summary>
    public void Answer(ConversationReply reply) => _reply.TrySetResult(reply);
}
