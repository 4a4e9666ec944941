using Relay.Simulation.Tests.Engine;
using Relay.Simulation.Tests.Nodes;
using Relay.Storage;

namespace Relay.Simulation.Tests.Outside;

/// <summary>How those outside call nodes: each call and each answer is an event, and a call may never be answered.</summary>
internal sealed class Clients(Schedule schedule, SimProcess outside, Func<IReadOnlyList<SimNode>> nodes)
{
    /// <summary>How long an answer is waited for before another node is tried.</summary>
    private const int TimeoutMs = 12_000;

    public Schedule Schedule => schedule;

    public SimProcess Outside => outside;

    /// <summary>Calls some node; if none answers, or it fails, <paramref name="done"/> gets nothing.</summary>
    public void Call<T>(string what, long argument, Func<SimNode, CancellationToken, ValueTask<T>> body, Action<T?> done) where T : class
    {
        var able = nodes().Where(n => n.IsUp && !n.IsDraining).ToArray();
        if (able.Length == 0)
        {
            schedule.Post(outside, "finds no node", argument, () => done(null), schedule.Random.Next(1000));
            return;
        }
        var call = new Call<T>(this, able[schedule.Random.Next(able.Length)], what, argument, done);
        call.Begin(body, TimeoutMs);
    }
}

/// <summary>One call to one node.</summary>
internal sealed class Call<T>(Clients clients, SimNode node, string what, long argument, Action<T?> done) where T : class
{
    private readonly CancellationTokenSource _left = new();
    private readonly Schedule _schedule = clients.Schedule;
    private SimEvent? _timeout;
    private bool _isOver;

    public void Begin(Func<SimNode, CancellationToken, ValueTask<T>> body, int timeoutMs)
    {
        node.Gone += Reset;
        _timeout = _schedule.Post(clients.Outside, "gives up waiting", argument, () =>
        {
            _schedule.Post(node.Process, "client has gone", argument, _left.Cancel);
            Finish(null);
        }, timeoutMs);
        _schedule.Post(node.Process, what, argument, () => _schedule.Watch(RunAsync(body)));
    }

    private async Task RunAsync(Func<SimNode, CancellationToken, ValueTask<T>> body)
    {
        T? answer = null;
        try
        {
            answer = await body(node, _left.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is StoreException or OperationCanceledException)
        {
            // The gateway makes an error of it.
        }
        _schedule.Post(clients.Outside, "gets answer", argument, () => Finish(answer));
    }

    private void Reset() => _schedule.Post(clients.Outside, "connection is reset", argument, () => Finish(null));

    private void Finish(T? answer)
    {
        if (_isOver) return;
        _isOver = true;
        _timeout!.IsCancelled = true;
        node.Gone -= Reset;
        done(answer);
    }
}
