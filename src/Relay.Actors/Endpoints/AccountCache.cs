using Microsoft.Extensions.Logging;
using Otr.Core;
using Relay.Actors.Subscriptions;
using Relay.Actors.Telemetry;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Endpoints;

/// <summary>
/// The endpoints' identities in memory, shared by their conversations through leases. Unused ones are kept up to a bound and
/// wiped when evicted.
/// </summary>
internal sealed class AccountCache(IEndpointStore store, BoundedReads loads, Sealer sealer, RelayTelemetry telemetry, ILogger log,
    int maxUnused, TimeProvider time, TaskCreationOptions continuations = TaskCreationOptions.RunContinuationsAsynchronously) : IDisposable
{
    /// <summary>As a revision: an update whose outcome is not known, so that whatever is cached must be read again.</summary>
    public const ulong UnknownRevision = 0;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Entry> _entries = [];
    private readonly LinkedList<Entry> _unused = [];
    // The latest revisions that this node has heard of, of endpoints that were ever updated: an older row, read before, is not kept.
    private readonly Dictionary<string, ulong> _revisions = [];
    // Opening a key checks it, which is expensive: all conversations of an endpoint wait for the first to do it.
    private readonly Dictionary<string, Task> _opening = [];

    /// <summary>Keys in memory.</summary>
    public int Count { get { lock (_lock) return _entries.Count; } }

    /// <returns>Null if there is no such endpoint, or it is deleted or expired.</returns>
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

    /// <summary>
    /// An endpoint was updated: its cached settings are not lent any more, and the leases on them are stale
    /// (<see cref="AccountLease.IsStale"/>).
    /// </summary>
    public void Invalidate(string endpointId, ulong revision)
    {
        Entry? unused = null;
        lock (_lock)
        {
            if (_revisions.GetValueOrDefault(endpointId) < revision) _revisions[endpointId] = revision;
            if (!_entries.TryGetValue(endpointId, out var entry) || (revision != UnknownRevision && entry.View.Revision >= revision))
                return;
            _entries.Remove(endpointId);
            entry.IsStale = true;
            if (entry.Users == 0)
            {
                _unused.Remove(entry.Node);
                unused = entry;
            }
        }
        unused?.Account.Key.Dispose();
    }

    /// <summary>Wipes the keys of endpoints that have expired; those in use are wiped when their last lease is returned.</summary>
    public void DropExpired()
    {
        string[] expired;
        lock (_lock) expired = [.. _entries.Where(e => HasExpired(e.Value)).Select(e => e.Key)];
        foreach (var id in expired) Invalidate(id, UnknownRevision);
    }

    private async ValueTask<AccountLease?> OpenAsync(string endpointId, CancellationToken cancellation)
    {
        if (await loads.ReadAsync(c => store.LoadEndpointAsync(endpointId, c), cancellation).ConfigureAwait(false) is not { } row
            || row.Sealed.Length == 0) return null;
        if (EndpointRecord.TryOpen(sealer, row) is not var (view, key))
        {
            telemetry.DidNotOpen(SealedThing.Endpoint);
            RelayLog.EndpointDamaged(log, endpointId);
            throw new DamagedEndpointException();
        }
        if (!view.IsActive(time.GetUtcNow()))
        {
            key.Dispose();
            return null;
        }
        var entry = new Entry(view, new OtrAccount(key, view.InstanceTag)
        {
            FormerKeys = [.. view.FormerIdentities.Select(f => f.Fingerprint)],
        })
        {
            Users = 1,
        };
        lock (_lock)
        {
            // It was updated after it was read: usable, but read again with the next command.
            entry.IsStale = _revisions.GetValueOrDefault(endpointId) > view.Revision;
            if (!entry.IsStale) _entries.Add(endpointId, entry);
        }
        return new AccountLease(this, entry);
    }

    private AccountLease? TryLend(string endpointId)
    {
        lock (_lock)
        {
            if (!_entries.TryGetValue(endpointId, out var entry) || HasExpired(entry)) return null;
            if (entry.Users++ == 0) _unused.Remove(entry.Node);
            return new AccountLease(this, entry);
        }
    }

    private bool HasExpired(Entry entry) => entry.View.Expires is { } expires && expires <= time.GetUtcNow();

    private void Return(Entry entry)
    {
        Entry? evicted = null;
        lock (_lock)
        {
            if (--entry.Users > 0) return;
            if (entry.IsStale) evicted = entry;
            else _unused.AddLast(entry.Node);
            if (!entry.IsStale && _unused.Count > maxUnused)
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
        public bool IsStale;
    }

    /// <summary>A conversation's use of an account; returned on disposal.</summary>
    internal sealed class AccountLease(AccountCache cache, Entry entry) : IDisposable
    {
        private bool _returned;

        public OtrAccount Account => entry.Account;

        public OtrSettings Settings => entry.View.Settings.ToOtr();

        public SmpSecret? AnswerSecret => entry.View.Settings.AnswerSecret;

        public TextFormat TextFormat => entry.View.Settings.TextFormat;

        public bool HasOwnEventStream => entry.View.Settings.HasOwnEventStream;

        public SubscriptionList Subscriptions => entry.View.Settings.Subscriptions;

        /// <summary>The endpoint was updated, or has expired: what was made with this lease must be made again.</summary>
        public bool IsStale => Volatile.Read(ref entry.IsStale) || cache.HasExpired(entry);

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
