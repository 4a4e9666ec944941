using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;

namespace Relay.Storage.Sqlite;

/// <summary>A pool of read connections, each used by one caller at a time. In WAL mode readers never wait for the writer.</summary>
internal sealed class SqliteReaders : IAsyncDisposable
{
    private readonly SemaphoreSlim _free;
    private readonly int _count;
    private readonly ConcurrentBag<SqliteSession> _sessions = [];

    public SqliteReaders(string path, int count)
    {
        _count = count;
        _free = new SemaphoreSlim(count);
        for (int i = 0; i < count; i++)
        {
            var session = SqliteSession.Open(path, SqliteOpenMode.ReadWrite);
            session.Execute("PRAGMA query_only = ON");
            _sessions.Add(session);
        }
    }

    /// <exception cref="StoreException"/>
    public async ValueTask<T> ReadAsync<T>(Func<SqliteSession, T> read, CancellationToken cancellation)
    {
        await _free.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (!_sessions.TryTake(out var session)) throw new StoreException("The store is closed.");
            try
            {
                return read(session);
            }
            catch (SqliteException e)
            {
                throw new StoreException($"The database refused a read (SQLite error {e.SqliteExtendedErrorCode}).", e);
            }
            finally
            {
                _sessions.Add(session);
            }
        }
        finally
        {
            _free.Release();
        }
    }

    /// <summary>Waits for the reads in progress and closes the connections; later reads fail.</summary>
    public async ValueTask DisposeAsync()
    {
        for (int i = 0; i < _count; i++) await _free.WaitAsync().ConfigureAwait(false);
        while (_sessions.TryTake(out var session)) session.Dispose();
        _free.Release(_count);
    }
}
