using System.Diagnostics;
using Relay.Actors.Conversations;
using Relay.Storage;

namespace Relay.Actors.Telemetry;

/// <summary>
/// The spans of a command: its way to the conversation, its execution there, and the commit that it waits for. Attributes are closed sets:
/// no endpoint, conversation, peer or text.
/// </summary>
internal sealed class ConversationSpans : IDisposable
{
    private static readonly MetricLabel<CommandKind> s_command = new("relay.command");
    private static readonly MetricLabel<CommandOutcome> s_outcome = new("relay.outcome");

    private readonly ActivitySource _source = new(RelayTelemetry.ActivitySourceName);

    /// <summary>From the command's admission to the reply. Its context travels with the command.</summary>
    public Activity? Send(Command command)
    {
        var span = _source.StartActivity("send conversation", ActivityKind.Producer);
        if (span is { IsAllDataRequested: true }) Tag(span, s_command[CommandKinds.Of(command)]);
        return span;
    }

    /// <summary>The computing of one command, in the actor and on its node.</summary>
    public Activity? Process(ConversationCommand asked)
    {
        // Without a caller's span, the commit of whatever happens to be current would become its parent.
        var span = asked.TraceContext == default ? null
            : _source.StartActivity("process conversation", ActivityKind.Consumer, asked.TraceContext);
        if (span is { IsAllDataRequested: true }) Tag(span, s_command[CommandKinds.Of(asked)]);
        return span;
    }

    public static void End(Activity? span, ConversationReply reply)
    {
        if (span is not { IsAllDataRequested: true }) return;
        var outcome = CommandKinds.Of(reply);
        Tag(span, s_outcome[outcome]);
        if (outcome is CommandOutcome.Unavailable or CommandOutcome.Overloaded or CommandOutcome.Quarantined) span.SetStatus(ActivityStatusCode.Error);
    }

    /// <summary>
    /// Commits a unit in a span, if one of its commands is sampled. A commit serves many commands: it belongs to the trace of the first
    /// that is sampled, and is linked to the others.
    /// </summary>
    public Task<CommitResult> CommitAsync(IConversationStore store, CommitUnit unit, IReadOnlyList<ActivityContext> commands)
    {
        var sampled = _source.HasListeners() ? commands.Where(c => c.TraceFlags.HasFlag(ActivityTraceFlags.Recorded)).ToList() : [];
        return sampled.Count == 0 ? store.CommitAsync(unit, CancellationToken.None).AsTask() : CommitAsync(store, unit, sampled, commands.Count);
    }

    private async Task<CommitResult> CommitAsync(IConversationStore store, CommitUnit unit, List<ActivityContext> sampled, int commands)
    {
        using var span = _source.StartActivity(
            "store.commit", ActivityKind.Client, sampled[0], links: sampled.Skip(1).Select(c => new ActivityLink(c)));
        span?.SetTag("relay.conversation.batch.size", commands);
        try
        {
            var result = await store.CommitAsync(unit, CancellationToken.None).ConfigureAwait(false);
            if (result is not CommitResult.Committed)
            {
                span?.SetTag("error.type", MetricLabel.SnakeCase(result.GetType().Name));
                span?.SetStatus(ActivityStatusCode.Error);
            }
            return result;
        }
        catch (StoreException)
        {
            span?.SetTag("error.type", "store");
            span?.SetStatus(ActivityStatusCode.Error);
            throw;
        }
    }

    public void Dispose() => _source.Dispose();

    private static void Tag(Activity span, KeyValuePair<string, object?> tag) => span.SetTag(tag.Key, tag.Value);
}
