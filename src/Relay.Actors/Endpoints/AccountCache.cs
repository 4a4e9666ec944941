using Microsoft.Extensions.Logging;
using Otr.Core;
using Relay.Actors.Telemetry;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Endpoints;

/// <summary>
/// The endpoints' identities in memory, shared by their conversations through leases. Unused ones are kept up to a bound and
/// wiped when evicted.
/// </summary>
internal sealed class AccountCache(IEndpointStore store, BoundedReads loads, Sealer sealer, RelayTelemetry telemetry, ILogger log,
    int maxUnused, TaskCreationOptions continuations = TaskCreationOptions.RunContinuationsAsynchronously) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Entry> _entries = [];
    private readonly LinkedList<Entry> _unused = [];
    // Opening a key checks it, which is expensive: all conversations of an endpoint wait for the first to do it.
    private readonly Dictionary<string, Task> _opening = [];

    /// <summary>Keys in memory.</summary>
    public int Count { get { lock (_lock) return _entries.Count; } }

    /// <returns>Null if there is no such endpoint.</returns>
    /// <exception cref="DamagedEndpointException">Its row does not open.</exception>
    /// <exception cref="StoreException"/>
    public async ValueTask<AccountLease?> AcquireAsync(string endpointId, CancellationToken cancellation)
    {
        while (true)
        {
            if (TryLend(endpointId) is { } lease) return lease;
            var mine = new TaskCompletionSource(continuations);
            Task? others;
            lock (_lock)
            {
                if (!_opening.TryGetValue(endpointId, out others)) _opening.Add(endpointId, mine.Task);
            }
            if (others is not null)
            {
                await others.WaitAsync(cancellation).ConfigureAwait(false);
                continue;
            }
            try
            {
                // Another caller may have opened it meanwhile.
                return TryLend(endpointId) ?? await OpenAsync(endpointId, cancellation).ConfigureAwait(false);
            }
            finally
            {
                lock (_lock) _opening.Remove(endpointId);
                mine.TrySetResult();
            }
        }
    }

    private async ValueTask<AccountLease?> OpenAsync(string endpointId, CancellationToken cancellation)
    {
        if (await loads.ReadAsync(c => store.LoadEndpointAsync(endpointId, c), cancellation).ConfigureAwait(false) is not { } row)
            return null;
        if (EndpointRecord.TryOpen(sealer, row.Id, row.Sealed) is not var (view, key))
        {
            telemetry.Quarantined("endpoint");
            RelayLog.EndpointDamaged(log, endpointId);
            throw new DamagedEndpointException();
        }
        var entry = new Entry(view, new OtrAccount(key, view.InstanceTag)) { Users = 1 };
        lock (_lock) _entries.Add(endpointId, entry);
        return new AccountLease(this, entry);
    }

    private AccountLease? TryLend(string endpointId)
    {
        lock (_lock)
        {
            if (!_entries.TryGetValue(endpointId, out var entry)) return null;
            if (entry.Users++ == 0) _unused.Remove(entry.Node);
            return new AccountLease(this, entry);
        }
    }

    private void Return(Entry entry)
    {
        Entry? evicted = null;
        lock (_lock)
        {
            if (--entry.Users > 0) return;
            _unused.AddLast(entry.Node);
            if (_unused.Count > maxUnused)
            {
                evicted = _unused.First!.Value;
                _unused.RemoveFirst();
                _entries.Remove(evicted.View.Id);
            }
        }
        evicted?.Account.Key.Dispose();
    }

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var entry in _entries.Values) entry.Account.Key.Dispose();
            _entries.Clear();
            _unused.Clear();
        }
    }

    internal sealed class Entry
    {
        public Entry(EndpointView view, OtrAccount account)
        {
            View = view;
            Account = account;
            Node = new LinkedListNode<Entry>(this);
        }

        public EndpointView View { get; }
        public OtrAccount Account { get; }
        public LinkedListNode<Entry> Node { get; }
        public int Users;
    }

    /// <summary>A conversation's use of an account; returned on disposal.</summary>
    internal sealed class AccountLease(AccountCache cache, Entry entry) : IDisposable
    {
        private bool _returned;

        public OtrAccount Account => entry.Account;

        // No bot can answer an SMP request yet: the peer's dialog ends at once instead of waiting for an answer that never comes.
        public OtrSettings Settings => new() { Policy = entry.View.Policy, MaxWireBytes = entry.View.MaxWireBytes, SmpAnswerLifetime = 0 };

        public void Dispose()
        {
            if (_returned) return;
            _returned = true;
            cache.Return(entry);
        }
    }
}

/// <summary>An endpoint's row does not open: the endpoint is out of use until the row is restored.</summary>
internal sealed class DamagedEndpointException() : Exception("The endpoint's row does not open.");
