using System.Collections.Concurrent;
using Relay.Actors.Cluster;
using Relay.Actors.Shards;

namespace Relay.Actors.Tests.Broker.Harness;

/// <summary>An owner that writes down what it was handed and answers as it is told.</summary>
/// <param name="answer">What to answer; null: done.</param>
internal sealed class RecordingOwner(Func<ShardCommand, Task<ConversationReply?>>? answer = null) : IShardOwner
{
    private readonly Lock _lock = new();
    private readonly List<ShardCommand> _handled = [];
    private readonly List<(int Count, TaskCompletionSource Reached)> _waiting = [];

    public static ConversationReply Done(ShardCommand command) => new ConversationReply.Done(command.ConversationId, Otr.Core.MessageState.Plaintext, null);

    /// <summary>Throws what is set, when it becomes the owner.</summary>
    public Exception? Refusal { get; set; }

    public bool IsActive { get; private set; }

    /// <summary>Everything in the order of handing over.</summary>
    public IReadOnlyList<ShardCommand> Handled { get { lock (_lock) return [.. _handled]; } }

    /// <summary>The request ids in the order of handing over.</summary>
    public IReadOnlyList<string> Ids => [.. Handled.Select(c => c.Command?.RequestId ?? "wake")];

    /// <summary>Completes when it was handed so many.</summary>
    public async Task WhenHandledAsync(int count)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (_handled.Count >= count) return;
            _waiting.Add((count, reached));
        }
        await reached.Task.WaitAsync(BrokerCluster.Patience);
    }

    public ValueTask ActivateAsync(CancellationToken cancellation)
    {
        IsActive = true;
        return Refusal is null ? ValueTask.CompletedTask : ValueTask.FromException(Refusal);
    }

    public Task<ConversationReply?> HandleAsync(ShardCommand command)
    {
        lock (_lock)
        {
            _handled.Add(command);
            foreach (var (count, reached) in _waiting)
            {
                if (_handled.Count >= count) reached.TrySetResult();
            }
        }
        return answer is null ? Task.FromResult<ConversationReply?>(Done(command)) : answer(command);
    }
}
