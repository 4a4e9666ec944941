using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Otr.Core;
using Relay.Actors.Documents;
using Relay.Storage;
using Relay.Storage.Postgres;
using Relay.Storage.Sealing;

namespace Relay.Actors.Epochs;

/// <summary>How a node of a cluster comes to the epoch key: from its file, from another node, or, the first of all, by making it.</summary>
internal sealed class ClusterEpochs(
    string path, SealingEpochOptions options, EpochDocuments documents, Func<CancellationToken, ValueTask<IReadOnlyList<RegisteredNode>>> nodes,
    SealingKey key, IRandomSource random, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(100);

    /// <summary>Time for which it waits for another node.</summary>
    public TimeSpan Patience { get; init; } = RelayLimits.EpochHandOver;

    /// <param name="proof">Opens documents: seals under the sealing key alone.</param>
    /// <returns>Null if the cluster's values are not sealed in epochs.</returns>
    /// <exception cref="RelayStartException">No node has handed the key over, or the file is another chain's. Nothing was changed.</exception>
    /// <exception cref="StoreException"/>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static async Task<EpochParts?> OpenAsync(SealingEpochOptions options, EpochTimes? times, string directory, PostgresStore store,
        SealingKey key, Sealer proof, IRandomSource random, TimeProvider time, ILogger log, CancellationToken cancellation)
    {
        var documents = new EpochDocuments(new SealedDocuments(store, proof));
        var path = Path.GetFullPath(options.KeyFile ?? Path.Combine(directory, EpochKeyFile.DefaultName));
        var file = await new ClusterEpochs(path, options, documents, store.ListNodesAsync, key, random, time, log).OpenAsync(cancellation)
            .ConfigureAwait(false);
        if (file is null) return null;
        documents.Chain = file.Epochs;
        times ??= new EpochTimes(options.Length);
        return new EpochParts(file, documents, store, times) { Watch = new EpochWatch(file, documents, times.Watch, time, log) };
    }

    /// <summary>Refuses a node that has started without epochs while another one began with them, whose rows it could not open.</summary>
    /// <exception cref="RelayStartException">It is to be started again.</exception>
    /// <exception cref="StoreException"/>
    public static async Task RefuseIfBegunAsync(IClusterStore store, CancellationToken cancellation)
    {
        if (await store.LoadDocumentAsync(EpochDocument.Name, cancellation).ConfigureAwait(false) is null) return;
        throw new RelayStartException("Another node has begun with sealing epochs while this one was starting. Start it again.")
        {
            IsTemporary = true,
        };
    }

    /// <returns>Null if the cluster's values are not sealed in epochs.</returns>
    public async Task<EpochKeyFile?> OpenAsync(CancellationToken cancellation)
    {
        var file = EpochKeyFile.TryOpen(path, key);
        try
        {
            while (true)
            {
                var found = await documents.LoadAsync(cancellation).ConfigureAwait(false);
                if (found is not var (document, version))
                {
                    if (options.IsEnabled != true) return null;
                    if ((await nodes(cancellation).ConfigureAwait(false)).Any(n => n.IsHeld)) throw OthersRun();
                    file ??= EpochKeyFile.Begin(path, key, random.Fill, time.GetUtcNow());
                    if (await documents.SaveAsync(Of(file, []), 0, cancellation).ConfigureAwait(false)) return file;
                    // Another node began at the same moment: its chain is the cluster's.
                    file.Dispose();
                    File.Delete(path);
                    file = null;
                    continue;
                }
                if (file is null) return await AskAsync(cancellation).ConfigureAwait(false);
                if (file.Now.Floor > document.Now.Current)
                {
                    // The database was put back to an earlier state, whose sessions are lost with its keys.
                    if (await documents.SaveAsync(Of(file, []), version, cancellation).ConfigureAwait(false)) return file;
                    continue;
                }
                if (file.Epochs.Check(document.Now.Current) is not { } held || !held.AsSpan().SequenceEqual(document.Check))
                    throw new RelayStartException($"The epoch key {path} is not the one that the cluster uses: a new one was begun when it was "
                        + "taken for lost. Move the file away; a running node hands over the present one. Nothing was changed.");
                file.Advance(document.Now.Current, document.Now.BegunMs);
                file.Destroy(document.Now.Floor);
                return file;
            }
        }
        catch
        {
            file?.Dispose();
            throw;
        }
    }

    private static RelayStartException OthersRun() => new("Other nodes run without sealing epochs and could not read what this one seals. "
        + "Stop all nodes, then start them with Relay:Epochs:Enabled=true. Nothing was changed.")
    {
        IsTemporary = true,
    };

    private static EpochDocument Of(EpochKeyFile file, IReadOnlyList<EpochRequest> requests)
        => new(file.Now, file.Epochs.Check(file.Now.Current)!, requests);

    private async Task<EpochKeyFile> AskAsync(CancellationToken cancellation)
    {
        using var own = new EpochHandOver();
        var asking = own.PublicKey;
        long start = time.GetTimestamp();
        while (time.GetElapsedTime(start) < Patience)
        {
            if (await documents.LoadAsync(cancellation).ConfigureAwait(false) is not var (document, version))
                throw new StoreException("The cluster's sealing epochs have gone from the database.");
            var mine = document.Requests.FirstOrDefault(r => r.PublicKey.AsSpan().SequenceEqual(asking));
            if (mine is { Answer.Length: > 0 } && Take(own, mine, document) is { } file)
            {
                // Whether it is taken out now or by the next who asks is the same.
                await documents.SaveAsync(document with { Requests = Others(document, asking) }, version, cancellation).ConfigureAwait(false);
                return file;
            }
            if (mine is null && Others(document, asking) is { Count: < RelayLimits.MaxEpochRequests } others)
            {
                var request = new EpochRequest(asking, NowMs, 0, []);
                await documents.SaveAsync(document with { Requests = [.. others, request] }, version, cancellation).ConfigureAwait(false);
            }
            await Sleep.ForAsync(s_poll, time, cancellation).ConfigureAwait(false);
        }
        if (options.BeginAnew) return await BeginAnewAsync(cancellation).ConfigureAwait(false);
        throw new RelayStartException($"The epoch key {path} does not exist, and no running node has handed it over in "
            + $"{Patience.TotalSeconds:0} s. Start a node first that has the file. If none has it, start one with --new-epoch-key: "
            + "contacts begin new sessions, what was not delivered is lost, and endpoints, keys and trust stay. Nothing was changed.")
        {
            IsTemporary = true,
        };
    }

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>The requests of others, without those that nobody waits for any more.</summary>
    private List<EpochRequest> Others(EpochDocument document, byte[] asking) => [.. document.Requests.Where(
        r => !r.PublicKey.AsSpan().SequenceEqual(asking) && Math.Abs(NowMs - r.TimeMs) < 2 * RelayLimits.EpochHandOver.TotalMilliseconds)];

    private EpochKeyFile? Take(EpochHandOver own, EpochRequest answered, EpochDocument document)
    {
        var secret = GC.AllocateArray<byte>(SealingEpochs.SecretSize, pinned: true);
        try
        {
            if (!own.TryOpen(answered.Answer, answered.Epoch, secret) || answered.Epoch > document.Now.Current) return null;
            var file = EpochKeyFile.Take(path, key, secret, document.Now with { Floor = answered.Epoch });
            if (file.Epochs.Check(document.Now.Current) is { } held && held.AsSpan().SequenceEqual(document.Check)) return file;
            file.Dispose();
            File.Delete(path);
            return null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }
    }

    private async Task<EpochKeyFile> BeginAnewAsync(CancellationToken cancellation)
    {
        var file = EpochKeyFile.Begin(path, key, random.Fill, time.GetUtcNow());
        var found = await documents.LoadAsync(cancellation).ConfigureAwait(false);
        if (!await documents.SaveAsync(Of(file, []), found?.Version ?? 0, cancellation).ConfigureAwait(false))
        {
            file.Dispose();
            File.Delete(path);
            throw new RelayStartException("Another node has changed the cluster's sealing epochs at this moment. Start this one again.")
            {
                IsTemporary = true,
            };
        }
        EpochLog.BegunAnew(log);
        return file;
    }
}
