using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Otr.Core;
using Relay.Actors;
using Relay.Actors.Backups;
using Relay.Actors.Cluster;
using Relay.Storage;

namespace Relay.Cluster.Tests;

/// <summary>A cluster's database is backed up while its nodes run, and restored into another one, or into a single server's file.</summary>
public sealed class ClusterBackupTests(ClusterDatabase databases) : IDisposable
{
    private const string Endpoint = "bot", Peer = "contact@example.net";
    private static readonly Fingerprint s_known = new(Enumerable.Repeat((byte)7, 20).ToArray());
    private static readonly ConversationAddress s_address = new ConversationAddress.ByPeer(Endpoint, Peer);

    private readonly string _directory = Directory.CreateTempSubdirectory("relay-test-").FullName;
    private readonly ArchiveKey.Passphrase _words = new("correct horse battery"u8.ToArray());

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private string At(string name) => Path.Combine(_directory, name);

    private Task<IRelay> OpenAsync(string database, string sealingKey)
    {
        var options = new ClusterRelayOptions(database, new ClusterOptions { Host = "127.0.0.1", Port = TestNode.FreePort() })
        {
            DataDirectory = At("data"), SealingKeyFile = At(sealingKey), Shards = 8, Version = "1.0.0",
        };
        return ClusterRelay.OpenAsync(options, NullLoggerFactory.Instance, TimeProvider.System, SystemRandom.Instance, default);
    }

    private StoreBackups Of(string? database, string sealingKey)
        => new(new BackupStore(At("data"), At(sealingKey), database), new FileKeys(At("api-keys.json")), "1.0.0", TimeProvider.System, SystemRandom.Instance);

    [Fact]
    public async Task It_goes_from_one_database_to_another_and_to_a_file_and_back_and_never_below_a_running_node()
    {
        var database = await databases.CreateAsync();
        EndpointView before;
        await using (var relay = await OpenAsync(database, "old.key"))
        {
            var create = new CreateEndpoint("create", Endpoint, "xmpp", "bot@example.net", new EndpointSettings { DisplayName = "Bot" }, null);
            before = Assert.IsType<CreateEndpointReply.Created>(await relay.Endpoints.CreateAsync(create, default)).Endpoint;
            Assert.IsType<ConversationReply.Done>(await relay.AskAsync(s_address, new Command.SetTrust("t", s_known, TrustLevel.Verified, "met"), default));
            Assert.True(await relay.Documents!.WriteAsync("api-keys", 0, "the list"u8.ToArray(), default));
            var made = await Of(database, "old.key").BackUpAsync(At("backup"), _words, default);
            Assert.Equal((1, 1, true), (made.Endpoints, made.Identities, made.HasApiKeys));
            // A node runs: it would go on with what is no longer there.
            var refused = await Assert.ThrowsAsync<RelayStartException>(() => RestoreAsync(database, "old.key", replace: true));
            Assert.Contains("Stop all nodes", refused.Message, StringComparison.Ordinal);
            Assert.Contains("Stop all nodes", (await Assert.ThrowsAsync<RelayStartException>(() => RestoreAsync(database, "old.key", dryRun: true))).Message, StringComparison.Ordinal);
        }
        Assert.Equal(BackupFault.NotEmpty, (await Assert.ThrowsAsync<BackupException>(() => RestoreAsync(database, "old.key"))).Fault);

        // Into an empty database, under a sealing key that is made for it.
        var second = await databases.CreateAsync();
        Assert.Equal(1, (await RestoreAsync(second, "new.key", dryRun: true)).Backup.Endpoints);
        Assert.False(await ClusterDatabase.AskAsync<bool>(second, "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'relay')"));
        Assert.True((await RestoreAsync(second, "new.key")).HasMadeKey);
        await using (var relay = await OpenAsync(second, "new.key"))
        {
            await CheckAsync(relay, before);
            var keys = (await relay.Documents!.ReadAsync("api-keys", default))!;
            // Above what any node has seen of the old database.
            Assert.Equal(("the list", 1 + RelayLimits.RestoredGap), (Encoding.ASCII.GetString(keys.Clear), keys.Version));
            // Streams are there to append to, of the endpoint as of a peer that was never heard of.
            Assert.IsType<ConversationReply.Done>(await relay.AskAsync(new ConversationAddress.ByPeer(Endpoint, "new@example.net"), new Command.StartSession("s"), default));
        }
        Assert.Equal(1, (await RestoreAsync(second, "new.key", replace: true)).Deleted);
        Assert.Equal(0, await ClusterDatabase.AskAsync<long>(second, "SELECT count(*) FROM relay.conversation"));
        Assert.Equal(BackupFault.OtherSealingKey, (await Assert.ThrowsAsync<BackupException>(() => RestoreAsync(second, "old.key", replace: true))).Fault);

        // From the cluster to a single server, and on to a cluster.
        await RestoreAsync(null, "single.key");
        Assert.Equal("the list", await File.ReadAllTextAsync(At("api-keys.json")));
        await using (var relay = await EmbeddedRelay.OpenAsync(new EmbeddedRelayOptions(At("data")) { SealingKeyFile = At("single.key") }, NullLoggerFactory.Instance, TimeProvider.System, SystemRandom.Instance, default))
            await CheckAsync(relay, before);
        File.Delete(At("backup"));
        await Of(null, "single.key").BackUpAsync(At("backup"), _words, default);
        var third = await databases.CreateAsync();
        await RestoreAsync(third, "third.key");
        await using (var relay = await OpenAsync(third, "third.key")) await CheckAsync(relay, before);
    }

    private Task<RestoreSummary> RestoreAsync(string? database, string sealingKey, bool replace = false, bool dryRun = false)
        => Of(database, sealingKey).RestoreAsync(At("backup"), _words, new RestoreOptions(replace, dryRun), default);

    private static async Task CheckAsync(IRelay relay, EndpointView before)
    {
        Assert.Equal(before, await relay.Endpoints.GetAsync(Endpoint, default));
        var id = relay.ConversationId(Endpoint, Peer);
        Assert.IsType<ConversationReply.Done>(await relay.AskAsync(s_address, new Command.SetTrust("u", s_known, TrustLevel.Verified, null), default));
        var view = (await relay.GetConversationAsync(Endpoint, id, default))!;
        Assert.Equal((s_known, TrustLevel.Verified, "met"), (view.Identities.Single().Fingerprint, view.Identities.Single().Trust, view.Identities.Single().Note));
    }

    private sealed class FileKeys(string path) : IApiKeyBackup
    {
        public string DocumentName => "api-keys";

        public byte[]? ReadFile() => File.Exists(path) ? File.ReadAllBytes(path) : null;

        public void WriteFile(byte[] list) => File.WriteAllBytes(path, list);

        public byte[]? TryMerge(ReadOnlySpan<byte> list, byte[]? others) => list.ToArray();
    }
}
