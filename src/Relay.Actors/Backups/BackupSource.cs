using System.Security.Cryptography;
using Otr.Core;
using Relay.Actors.Conversations;
using Relay.Actors.Endpoints;
using Relay.Storage;
using Relay.Storage.Backups;
using Relay.Storage.Sealing;

namespace Relay.Actors.Backups;

/// <summary>
/// Writes what a store holds into a backup: identities, settings, positions; never sessions, messages or files, which nothing may bring
/// back.
/// </summary>
internal sealed class BackupSource(IStoreSnapshot snapshot, Sealer sealer, BackupWriter writer, IProgress<BackupProgress>? progress)
{
    private readonly HashSet<string> _endpoints = new(StringComparer.Ordinal);
    private long _leftOut;

    /// <param name="apiKeys">Null: there is no list.</param>
    /// <exception cref="StoreException"/>
    /// <exception cref="BackupException">The store does not open with the sealing key.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public async Task<BackupSummary> WriteAsync(
        DateTimeOffset made, string version, SharedDocument? apiKeys, CancellationToken cancellation)
    {
        await WriteAboutAsync(made, version, apiKeys, cancellation).ConfigureAwait(false);
        await WriteEndpointsAsync(cancellation).ConfigureAwait(false);
        await WriteStreamsAsync(cancellation).ConfigureAwait(false);
        await WriteIdentitiesAsync(cancellation).ConfigureAwait(false);
        writer.End(_leftOut);
        return new BackupSummary
        {
            Made = made, Version = version, HasApiKeys = apiKeys is not null, LeftOut = _leftOut,
            Endpoints = writer.Count(BackupPart.Endpoint), Streams = writer.Count(BackupPart.Stream),
            Identities = writer.Count(BackupPart.Identities),
        };
    }

    private async Task WriteAboutAsync(DateTimeOffset made, string version, SharedDocument? apiKeys, CancellationToken cancellation)
    {
        var identity = await snapshot.ReadIdentityAsync(cancellation).ConfigureAwait(false)
            ?? throw new BackupException(BackupFault.NotWritten, "The store holds nothing: there is nothing to back up.");
        var key = StoreIdentity.TryOpenKey(sealer, identity) ?? throw new BackupException(BackupFault.OtherSealingKey,
            "The sealing key is not the one that the store was sealed with. Name the right one with --sealing-key.");
        using var row = new RowWriter();
        BackupRecords.WriteAbout(row, made, version, key);
        CryptographicOperations.ZeroMemory(key);
        writer.Write(BackupPart.About, row);
        if (apiKeys is null) return;
        using var keys = new RowWriter();
        BackupRecords.WriteApiKeys(keys, apiKeys);
        writer.Write(BackupPart.ApiKeys, keys);
    }

    private async Task WriteEndpointsAsync(CancellationToken cancellation)
    {
        string? after = null;
        while (await snapshot.ReadEndpointsAsync(after, StorageLimits.BackupPortion, cancellation).ConfigureAwait(false)
            is [.., var last] rows)
        {
            // One without its sealed part is being purged: its keys are destroyed.
            foreach (var row in rows.Where(r => r.Sealed.Length > 0)) Write(row);
            after = last.Id;
            Report();
        }
    }

    private void Write(EndpointRow row)
    {
        var clear = sealer.TryOpen(SealedTable.Endpoint, EndpointRecord.Row(row.Id, row.Revision), row.Sealed);
        if (clear is null || EndpointRecord.Read(clear, row.Id, row.Revision, wantKey: false) is null)
        {
            _leftOut++;
            return;
        }
        _endpoints.Add(row.Id);
        using var record = new RowWriter();
        BackupRecords.WriteEndpoint(record, row, clear);
        CryptographicOperations.ZeroMemory(clear);
        writer.Write(BackupPart.Endpoint, record);
    }

    private async Task WriteStreamsAsync(CancellationToken cancellation)
    {
        StreamKey? after = null;
        while (await snapshot.ReadStreamsAsync(after, StorageLimits.BackupPortion, cancellation).ConfigureAwait(false)
            is [.., var last] rows)
        {
            foreach (var row in rows.Where(r => _endpoints.Contains(BackupRows.Split(r.Stream.EndpointId).Endpoint)))
            {
                using var record = new RowWriter();
                BackupRecords.WriteStream(record, row);
                writer.Write(BackupPart.Stream, record);
            }
            after = last.Stream;
        }
    }

    private async Task WriteIdentitiesAsync(CancellationToken cancellation)
    {
        IdentitiesRow? after = null;
        while (await snapshot.ReadIdentitiesAsync(after, StorageLimits.BackupPortion, cancellation).ConfigureAwait(false)
            is [.., var last] rows)
        {
            // Those of an endpoint that is left out would have nobody to belong to.
            foreach (var row in rows.Where(r => _endpoints.Contains(r.EndpointId))) Write(row);
            after = last;
            Report();
        }
    }

    private void Write(IdentitiesRow row)
    {
        var key = new ConversationKey(row.EndpointId, row.ConversationId);
        var clear = sealer.TryOpen(SealedTable.Identities, Identities.Place(key), row.Sealed);
        if (clear is null || Identities.TryReadCopy(clear) is null)
        {
            _leftOut++;
            return;
        }
        using var record = new RowWriter();
        BackupRecords.WriteIdentities(record, key, clear);
        CryptographicOperations.ZeroMemory(clear);
        writer.Write(BackupPart.Identities, record);
    }

    private void Report() => progress?.Report(new BackupProgress(
        BackupStep.Writing, writer.Count(BackupPart.Endpoint) + writer.Count(BackupPart.Identities)));
}
