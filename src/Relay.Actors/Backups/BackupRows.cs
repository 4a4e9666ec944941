using System.Security.Cryptography;
using Relay.Actors.Conversations;
using Relay.Actors.Endpoints;
using Relay.Storage;
using Relay.Storage.Backups;
using Relay.Storage.Sealing;

namespace Relay.Actors.Backups;

/// <summary>
/// Gives the rows of a backup in their order, each checked, and sealed for the store that they go to. A file that opens can come from
/// anybody who has a public key: a row that does not fit its place, or that this program could not read, ends the reading.
/// </summary>
/// <param name="sealer">Null to check only: rows are then without their sealed part.</param>
internal sealed class BackupRows(BackupReader reader, Sealer? sealer) : IDisposable
{
    private readonly HashSet<string> _endpoints = new(StringComparer.Ordinal);
    // Streams that every endpoint and subscription has, as far as the backup does not have their positions.
    private readonly HashSet<StreamKey> _streams = [];
    private KeyedIds? _ids;

    public DateTimeOffset Made { get; private set; }

    public string Version { get; private set; } = "";

    /// <summary>Wiped when this is disposed of.</summary>
    public byte[] IdsKey { get; private set; } = [];

    public SharedDocument? ApiKeys { get; private set; }

    /// <summary>What was read of each part; complete after <see cref="End"/>.</summary>
    public BackupSummary Summary => new()
    {
        Made = Made, Version = Version, HasApiKeys = ApiKeys is not null,
        Endpoints = reader.Counts.GetValueOrDefault(BackupPart.Endpoint),
        Streams = reader.Counts.GetValueOrDefault(BackupPart.Stream),
        Identities = reader.Counts.GetValueOrDefault(BackupPart.Identities),
        LeftOut = reader.Counts.GetValueOrDefault(BackupPart.End),
    };

    /// <summary>Reads what comes before the endpoints.</summary>
    /// <exception cref="BackupException"/>
    public void Begin()
    {
        reader.Read();
        if (reader.Part != BackupPart.About) throw BackupReader.Malformed();
        if (BackupRecords.ReadAbout(reader.Content) is not var (made, version, key)) throw BackupReader.Malformed();
        (Made, Version, IdsKey, _ids) = (made, version, key, new KeyedIds(key));
        reader.Read();
        if (reader.Part != BackupPart.ApiKeys) return;
        ApiKeys = BackupRecords.ReadApiKeys(reader.Content) ?? throw BackupReader.Malformed();
        reader.Read();
    }

    /// <exception cref="BackupException"/>
    public IEnumerable<EndpointRow> Endpoints()
    {
        for (; reader.Part == BackupPart.Endpoint; reader.Read()) yield return Endpoint();
    }

    /// <summary>Gives the positions that streams go on from, those of the backup first.</summary>
    /// <exception cref="BackupException"/>
    public IEnumerable<BackedUpStream> Streams()
    {
        var seen = new HashSet<StreamKey>();
        for (; reader.Part == BackupPart.Stream; reader.Read())
        {
            if (BackupRecords.ReadStream(reader.Content) is not { } stream || !seen.Add(stream.Stream)) throw BackupReader.Malformed();
            var (owner, _) = Split(stream.Stream.EndpointId);
            if (!_endpoints.Contains(owner)) throw BackupReader.Malformed();
            yield return stream with { Last = stream.Last + RelayLimits.RestoredGap };
        }
        foreach (var stream in _streams)
        {
            if (!seen.Contains(stream)) yield return new BackedUpStream(stream, RelayLimits.RestoredGap);
        }
    }

    /// <exception cref="BackupException"/>
    public IEnumerable<IdentitiesRow> Identities()
    {
        var before = default(ConversationKey);
        for (; reader.Part == BackupPart.Identities; reader.Read())
        {
            var row = Identities(before, out before);
            yield return row;
        }
    }

    /// <summary>Makes sure that everything was read.</summary>
    /// <exception cref="BackupException"/>
    public void End()
    {
        if (reader.Part != BackupPart.End) throw BackupReader.Malformed();
    }

    private EndpointRow Endpoint()
    {
        if (BackupRecords.ReadEndpoint(reader.Content, out var clear) is not { } row || !_endpoints.Add(row.Id)
            || _endpoints.Count > StorageLimits.MaxEndpoints || TryReadView(row, clear) is not { } view
            || row.Address != AddressOf(view)) throw BackupReader.Malformed();
        foreach (var kind in Enum.GetValues<StreamKind>()) _streams.Add(new StreamKey(row.Id, kind));
        foreach (var subscription in view.Settings.Subscriptions) _streams.Add(StreamKey.OfSubscription(row.Id, subscription.Name));
        return sealer is null ? row
            : row with { Sealed = sealer.Seal(SealedTable.Endpoint, EndpointRecord.Row(row.Id, row.Revision), clear) };
    }

    /// <summary>The view, if the key belongs to it as well. What the check has passed is not checked again for writing.</summary>
    private EndpointView? TryReadView(EndpointRow row, ReadOnlySpan<byte> clear)
    {
        try
        {
            if (EndpointRecord.Read(clear, row.Id, row.Revision, wantKey: sealer is null) is not var (view, key)) return null;
            using (key)
            {
                return key is null || key.PublicKey.Fingerprint == view.Fingerprint ? view : null;
            }
        }
        catch (ArgumentOutOfRangeException)
        {
            // A time that is none. In a row of a store it cannot occur, because rows are authenticated by whoever wrote them.
            return null;
        }
    }

    private UInt128 AddressOf(EndpointView view) => EndpointDirectory.AddressOf(_ids!, view.Network, view.Account);

    private IdentitiesRow Identities(ConversationKey before, out ConversationKey key)
    {
        if (!BackupRecords.TryReadIdentities(reader.Content, out key, out var clear) || !_endpoints.Contains(key.EndpointId)
            || Compare(before, key) >= 0 || Conversations.Identities.TryReadCopy(clear) is not var (peer, _)
            || _ids!.Conversation(key.EndpointId, peer) != key.ConversationId) throw BackupReader.Malformed();
        return new IdentitiesRow(key.EndpointId, key.ConversationId,
            sealer is null ? [] : sealer.Seal(SealedTable.Identities, Conversations.Identities.Place(key), clear));
    }

    private static int Compare(ConversationKey a, ConversationKey b)
        => string.CompareOrdinal(a.EndpointId, b.EndpointId) is not 0 and var order ? order
            : string.CompareOrdinal(a.ConversationId, b.ConversationId);

    /// <summary>The endpoint and the subscription of a stream.</summary>
    public static (string Endpoint, string? Subscription) Split(string owner)
        => owner.IndexOf('/', StringComparison.Ordinal) is >= 0 and var at ? (owner[..at], owner[(at + 1)..]) : (owner, null);

    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(IdsKey);
        _ids?.Dispose();
    }
}
