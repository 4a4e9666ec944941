using System.Collections.Concurrent;
using Otr.Core;
using Relay.Actors;
using Relay.Actors.Subscriptions;
using Relay.Storage;

namespace Relay.Gateway.Tests.Harness;

/// <summary>Actors that answer as the test says: for replies and loads that the real ones give only in need.</summary>
public sealed class FakeRelay : IRelay, IEndpoints, IOutbox
{
    private readonly CancellationTokenSource _draining = new();
    private readonly ConcurrentDictionary<StreamKey, FakeStream> _streams = [];

    public FakeRelay() { }

    /// <summary>Another node of the same cluster.</summary>
    public FakeRelay(FakeRelay other)
    {
        _streams = other._streams;
        Documents = other.Documents;
    }

    /// <summary>Null: one process.</summary>
    public ISharedDocuments? Documents { get; init; }

    public Relay.Actors.Files.IFiles Files => throw new NotSupportedException("A test of files has real actors.");

    public IReadOnlyList<NodeView> Nodes { get; init; } = [];

    /// <summary>Completed by a test: the cluster goes on without this node.</summary>
    public TaskCompletionSource<string> Loss { get; } = new();

    public Task<string> Lost => Loss.Task;

    public ValueTask<IReadOnlyList<NodeView>> ListNodesAsync(CancellationToken cancellation) => new(Nodes);

    /// <summary>What draining waits for.</summary>
    public Func<CancellationToken, Task> OnDrain { get; set; } = _ => Task.CompletedTask;

    /// <summary>Answers commands.</summary>
    public Func<ConversationAddress, Command, CancellationToken, ValueTask<ConversationReply>> OnAsk { get; set; } =
        (_, _, _) => ValueTask.FromResult<ConversationReply>(new ConversationReply.Done(ConversationId, MessageState.Encrypted, SendDisposition.Encrypted) { Sent = new SentReference(1, 0) });

    public const string ConversationId = "abcdefghijklmnopqrstuvwxyz";

    public List<ConversationView> Conversations { get; } = [];

    public CreateEndpointReply OnCreate { get; set; } = new CreateEndpointReply.Unavailable("test");

    public IEndpoints Endpoints => this;
    public IOutbox Outbox => this;
    public bool IsReady => !_draining.IsCancellationRequested;
    public CancellationToken Draining => _draining.Token;

    public FakeStream Stream(string endpointId, StreamKind kind) => _streams.GetOrAdd(new StreamKey(endpointId, kind), _ => new FakeStream());

    public ValueTask<ConversationReply> AskAsync(ConversationAddress address, Command command, CancellationToken cancellation) => OnAsk(address, command, cancellation);
    public ValueTask<ConversationView?> GetConversationAsync(string endpointId, string conversationId, CancellationToken cancellation) => ValueTask.FromResult(Conversations.Find(c => c.Id == conversationId));
    string IRelay.ConversationId(string endpointId, string peer) => ConversationId;
    public ValueTask<IReadOnlyList<ConversationView>> ListConversationsAsync(string endpointId, string? afterId, int max, CancellationToken cancellation) => ValueTask.FromResult<IReadOnlyList<ConversationView>>(Conversations);
    public async Task DrainAsync(CancellationToken cancellation)
    {
        await _draining.CancelAsync();
        await OnDrain(cancellation);
    }
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    public ValueTask<CreateEndpointReply> CreateAsync(CreateEndpoint request, CancellationToken cancellation)
    {
        request.Key?.Dispose();
        return ValueTask.FromResult(OnCreate);
    }

    public ValueTask<EndpointView?> GetAsync(string endpointId, CancellationToken cancellation) => ValueTask.FromResult<EndpointView?>(
        new EndpointView(endpointId, "test", endpointId, new EndpointSettings(), new Fingerprint(new byte[20]), 0x100, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, 1));

    public ValueTask<UpdateEndpointReply> UpdateAsync(string endpointId, Func<EndpointView, EndpointSettings> change, ulong? revision, CancellationToken cancellation) =>
        ValueTask.FromResult(OnUpdate);

    public UpdateEndpointReply OnUpdate { get; set; } = new UpdateEndpointReply.Unavailable("test");
    public event Action<string>? Changed { add { } remove { } }
    public IMessages Messages => throw new NotSupportedException("The fake has no messages.");
    public ISubscriptions Subscriptions => throw new NotSupportedException("The fake has no subscriptions.");
    public ValueTask<UpdateEndpointReply> DeleteAsync(string endpointId, bool purge, ulong? revision, CancellationToken cancellation) => ValueTask.FromResult(OnUpdate);
    public ValueTask<UpdateEndpointReply> UndeleteAsync(string endpointId, ulong? revision, CancellationToken cancellation) => ValueTask.FromResult(OnUpdate);
    public ValueTask<UpdateEndpointReply> RotateAsync(string endpointId, string requestId, ulong? revision, CancellationToken cancellation) => ValueTask.FromResult(OnUpdate);
    public IIdentityArchives Archives => throw new NotSupportedException("The fake has no archives.");
    public ValueTask<EndpointView?> FindActiveAsync(string endpointId, CancellationToken cancellation) => GetAsync(endpointId, cancellation);
    public Task WhenInactiveAsync(string endpointId, CancellationToken cancellation) => Task.Delay(Timeout.Infinite, cancellation);
    public ValueTask<EndpointPage> ListAsync(EndpointQuery query, CancellationToken cancellation) => ValueTask.FromResult(new EndpointPage([], null));

    public ValueTask<IReadOnlyList<OutboxItem>> ReadAsync(StreamKey stream, ulong after, int max, long maxBytes, CancellationToken cancellation) => ValueTask.FromResult(Stream(stream.EndpointId, stream.Kind).Read(after, max));
    public ValueTask<(ulong Acknowledged, ulong Last)> PositionAsync(StreamKey stream, CancellationToken cancellation) => ValueTask.FromResult(Stream(stream.EndpointId, stream.Kind).Position);
    public ValueTask AcknowledgeAsync(StreamKey stream, ulong sequence, CancellationToken cancellation)
    {
        Stream(stream.EndpointId, stream.Kind).Acknowledge(sequence);
        return ValueTask.CompletedTask;
    }
    public ValueTask WaitAsync(StreamKey stream, ulong after, CancellationToken cancellation) => Stream(stream.EndpointId, stream.Kind).WaitAsync(after, cancellation);

    public sealed class FakeStream
    {
        private readonly Lock _lock = new();
        private readonly List<OutboxItem> _items = [];
        private TaskCompletionSource _added = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private ulong _last;

        public ulong Acknowledged { get; private set; }

        /// <summary>The highest sequence that was read.</summary>
        public ulong HighestRead { get; private set; }

        public (ulong, ulong) Position { get { lock (_lock) return (Acknowledged, _last); } }

        public void Add(params OutboxBody[] bodies)
        {
            TaskCompletionSource added;
            lock (_lock)
            {
                foreach (var body in bodies) _items.Add(new OutboxItem(++_last, DateTimeOffset.UnixEpoch, ConversationId, "peer", body));
                added = _added;
                _added = new(TaskCreationOptions.RunContinuationsAsynchronously);
            }
            added.SetResult();
        }

        public IReadOnlyList<OutboxItem> Read(ulong after, int max)
        {
            lock (_lock)
            {
                var read = _items.Where(i => i.Sequence > after).Take(max).ToList();
                if (read.Count > 0) HighestRead = Math.Max(HighestRead, read[^1].Sequence);
                return read;
            }
        }

        public void Acknowledge(ulong sequence)
        {
            lock (_lock)
            {
                Acknowledged = Math.Max(Acknowledged, Math.Min(sequence, _last));
                _items.RemoveAll(i => i.Sequence <= Acknowledged);
            }
        }

        public async ValueTask WaitAsync(ulong after, CancellationToken cancellation)
        {
            while (true)
            {
                Task added;
                lock (_lock)
                {
                    if (_last > after) return;
                    added = _added.Task;
                }
                await added.WaitAsync(cancellation);
            }
        }
    }
}
