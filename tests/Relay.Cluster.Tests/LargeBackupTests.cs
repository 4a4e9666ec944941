using System.Diagnostics;
using Otr.Core;
using Relay.Actors;
using Relay.Actors.Backups;
using Relay.Actors.Conversations;
using Relay.Actors.Endpoints;
using Relay.Storage;
using Relay.Storage.Backups;
using Relay.Storage.Postgres;
using Relay.Storage.Sealing;
using Relay.Storage.Sqlite;

namespace Relay.Cluster.Tests;

/// <summary>
/// The size and time of a large store's backup, and that it is streamed. RELAY_LONG=1 takes 10,000 endpoints and a million peers, and holds to
/// a minute and two.
/// </summary>
public sealed class LargeBackupTests(ClusterDatabase databases) : IDisposable
{
    private const int PeersOfEach = 100;
    /// <summary>Live managed memory that a backup or restore may add: its buffers, and the ids of 10,000 endpoints and their streams.</summary>
    private const long MaxGrowth = 24L << 20;
    private static readonly bool s_isLong = Environment.GetEnvironmentVariable("RELAY_LONG") == "1";
    private static readonly int s_endpoints = s_isLong ? 10_000 : 60;
    private static readonly ArchiveKey.Passphrase s_words = new("correct horse battery"u8.ToArray());

    private readonly string _directory = Directory.CreateTempSubdirectory("relay-test-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private string At(string name) => Path.Combine(_directory, name);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_is_streamed_and_a_million_peers_take_a_minute(bool isCluster)
    {
        Directory.CreateDirectory(At("old"));
        var (from, to) = isCluster ? (await databases.CreateAsync(), await databases.CreateAsync()) : (null, (string?)null);
        await FillAsync(isCluster ? await PostgresRestore.OpenAsync(from!, default) : SqliteRestore.Open(Path.Combine(At("old"), "relay.db")));
        var live = new LiveMemory(GC.GetTotalMemory(forceFullCollection: true));
        var watch = Stopwatch.StartNew();
        var made = await Of("old", from, live).BackUpAsync(At("backup"), s_words, default);
        var backup = watch.Elapsed;
        Assert.Equal((s_endpoints, (long)s_endpoints * PeersOfEach, 0), (made.Endpoints, made.Identities, made.LeftOut));
        watch.Restart();
        await Of("new", to, live).RestoreAsync(At("backup"), s_words, new RestoreOptions(false, false), default);
        var restore = watch.Elapsed;
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{(isCluster ? "PostgreSQL" : "SQLite")}: {made.Endpoints:N0} endpoints, {made.Identities:N0} peers; {new FileInfo(At("backup")).Length >> 20} MiB; "
            + $"backup {backup.TotalSeconds:F1} s, restore {restore.TotalSeconds:F1} s, live memory {live.Growth >> 10} KiB");
        Assert.InRange(live.Growth, 0, MaxGrowth);
        if (!s_isLong) return;
        Assert.True(backup < TimeSpan.FromMinutes(1), $"{backup}");
        Assert.True(restore < TimeSpan.FromMinutes(2), $"{restore}");
    }

    private StoreBackups Of(string name, string? database, LiveMemory live)
        => new(new BackupStore(At(name), At("old/sealing.key"), database), new NoKeys(), "1.0.0", TimeProvider.System, SystemRandom.Instance, live);

    /// <summary>Rows as a relay seals them, one after the other at different times, so that neighbours in the table were not sealed together.</summary>
    private async Task FillAsync(IStoreRestore store)
    {
        using var sealingKey = SealingKey.Create(At("old/sealing.key"), SystemRandom.Instance.Fill);
        using var sealer = new Sealer(sealingKey, SystemRandom.Instance.Fill);
        var identity = StoreIdentity.Make(sealer, SystemRandom.Instance.Fill);
        using var ids = StoreIdentity.TryOpen(sealer, identity)!;
        using var key = DsaPrivateKey.Generate(SystemRandom.Instance);
        var order = new int[s_endpoints * PeersOfEach];
        for (int i = 0; i < order.Length; i++) order[i] = i;
        new Random(1).Shuffle(order);
        var rows = new IdentitiesRow[order.Length];
        Parallel.ForEach(order, i =>
        {
            var (endpoint, peer) = (Endpoint(i / PeersOfEach), $"peer{i % PeersOfEach}@example.net");
            var place = new ConversationKey(endpoint, ids.Conversation(endpoint, peer));
            var fingerprint = new Fingerprint(System.Security.Cryptography.SHA1.HashData(BitConverter.GetBytes(i)));
            var identities = new Identities();
            identities.Follow(new PeerKeys([new KnownKey(fingerprint, TrustLevel.Verified)], fingerprint, 3), fingerprint, 1_700_000_000_000);
            identities.TryNote(fingerprint, "met in person");
            rows[i] = new IdentitiesRow(endpoint, place.ConversationId, identities.SealCopy(sealer, place, peer, 1_700_000_000_000));
        });
        await using (store)
        {
            await store.ClearAsync(default);
            await store.WriteIdentityAsync(identity, default);
            await store.AddEndpointsAsync(Enumerable.Range(0, s_endpoints).Select(i =>
            {
                var view = new EndpointView(Endpoint(i), "xmpp", $"bot{i}@example.org", new EndpointSettings(), key.PublicKey.Fingerprint, 0x100, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, 1);
                return new EndpointRow(view.Id, EndpointDirectory.AddressOf(ids, view.Network, view.Account), (UInt128)i, (UInt128)i, EndpointRecord.Seal(sealer, view, key));
            }), default);
            await store.AddIdentitiesAsync(rows.OrderBy(r => r.EndpointId, StringComparer.Ordinal).ThenBy(r => r.ConversationId, StringComparer.Ordinal), default);
            await store.CommitAsync(default);
        }
    }

    private static string Endpoint(int i) => $"bot{i:d5}";

    /// <summary>Looks now and then at what is alive, in the thread that does the work.</summary>
    private sealed class LiveMemory(long before) : IProgress<BackupProgress>
    {
        private const int Between = 250;
        private int _reports;

        public long Growth { get; private set; }

        public void Report(BackupProgress value)
        {
            if (s_isLong ? _reports++ % Between == 0 : true)
                Growth = Math.Max(Growth, GC.GetTotalMemory(forceFullCollection: true) - before);
        }
    }

    private sealed class NoKeys : IApiKeyBackup
    {
        public string DocumentName => "api-keys";

        public byte[]? ReadFile() => null;

        public void WriteFile(byte[] list) => throw new NotSupportedException();

        public byte[]? TryMerge(ReadOnlySpan<byte> list, byte[]? others) => null;
    }
}
