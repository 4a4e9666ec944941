using System.Security.Cryptography;
using Otr.Core;
using Relay.Actors.Endpoints;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Archives;

/// <inheritdoc cref="IIdentityArchives"/>
internal sealed class IdentityArchives(
    IRelay relay, IEndpointStore store, BoundedReads reads, Sealer sealer, TimeProvider time, IRandomSource random) : IIdentityArchives
{
    private readonly PeerImport _peers = new(relay, time);
    // Passphrases are made to be slow to try, and take memory.
    private readonly SemaphoreSlim _sealing = new(RelayLimits.MaxArchivesAtOnce);

    public async ValueTask<ExportReply> ExportAsync(ExportIdentity request, CancellationToken cancellation)
    {
        var row = await reads.ReadAsync(c => store.LoadEndpointAsync(request.EndpointId, c), cancellation).ConfigureAwait(false);
        if (row is null || row.Sealed.Length == 0) return new ExportReply.NotFound();
        if (EndpointRecord.TryOpen(sealer, row) is not var (view, key)) return new ExportReply.Unavailable("damaged");
        using (key)
        {
            if (!view.IsActive(time.GetUtcNow())) return new ExportReply.NotFound();
            var at = request.At ?? new ArchivePosition(MakeNumber(), 0, "");
            var (peers, quarantined, next) = await CollectAsync(request.EndpointId, at, cancellation).ConfigureAwait(false);
            var archive = new IdentityArchive(at.Archive, at.Part, next is null, time.GetUtcNow().ToUnixTimeMilliseconds(),
                view.Network, view.Account, at.Part == 0 ? key : null, view.FormerIdentities, peers);
            using var content = new RowWriter();
            archive.Write(content);
            var file = await SealAsync(content, request.Key, cancellation).ConfigureAwait(false);
            return file is null ? new ExportReply.NotAKey() : new ExportReply.Exported(file, peers.Count, quarantined, next);
        }
    }

    public async ValueTask<ImportReply> ImportAsync(ImportIdentity request, CancellationToken cancellation)
    {
        if (await OpenAsync(request.File, request.Key, cancellation).ConfigureAwait(false) is not { } content)
            return new ImportReply.NotOpened();
        var archive = IdentityArchive.TryRead(content);
        CryptographicOperations.ZeroMemory(content);
        if (archive is null) return new ImportReply.Malformed();
        using var key = archive.Key;
        EndpointView endpoint;
        if (request.EndpointId is { } id)
        {
            if (await relay.Endpoints.FindActiveAsync(id, cancellation).ConfigureAwait(false) is not { } found)
                return new ImportReply.NotFound();
            if (found.Network != archive.Network) return new ImportReply.OtherNetwork();
            endpoint = found;
        }
        else
        {
            if (key is null) return new ImportReply.NotTheFirst();
            var create = new CreateEndpoint(
                request.RequestId, request.NewEndpointId, archive.Network, archive.Account, new EndpointSettings(), key)
            {
                FormerIdentities = archive.FormerIdentities,
            };
            var reply = await relay.Endpoints.CreateAsync(create, cancellation).ConfigureAwait(false);
            if (reply is not CreateEndpointReply.Created created) return new ImportReply.NotCreated(reply);
            endpoint = created.Endpoint;
        }
        var (failure, told) = await _peers.TellAsync(request.RequestId, endpoint.Id, archive.Peers, cancellation).ConfigureAwait(false);
        return failure ?? new ImportReply.Imported(
            endpoint, told.Peers, told.Keys, told.Skipped, archive.Archive, archive.Part, archive.IsLast) { WithoutRoom = told.WithoutRoom };
    }

    public async ValueTask<ImportReply> ImportKeysAsync(ImportPeerKeys request, CancellationToken cancellation)
    {
        if (await relay.Endpoints.FindActiveAsync(request.EndpointId, cancellation).ConfigureAwait(false) is not { } endpoint)
            return new ImportReply.NotFound();
        var peers = request.Peers.Select(p => new ArchivedPeer(p.Peer, p.Identities, Latest(p.Identities), 0)).ToList();
        var (failure, told) = await _peers.TellAsync(request.RequestId, endpoint.Id, peers, cancellation).ConfigureAwait(false);
        return failure ?? new ImportReply.KeysImported(told.Peers, told.Keys, told.Skipped, told.WithoutRoom);
    }

    /// <summary>
    /// The key that counts as the one shown last, so that another one is told as a change: the only one, or the only trusted one.
    /// </summary>
    private static Fingerprint? Latest(IReadOnlyList<IdentityView> identities)
    {
        if (identities is [var only]) return only.Fingerprint;
        return identities.Where(i => i.Trust.IsTrusted).Take(2).ToList() is [var trusted] ? trusted.Fingerprint : null;
    }

    /// <summary>The peers of one part: as many as have room, from where the part begins.</summary>
    private async ValueTask<(List<ArchivedPeer> Peers, int Quarantined, ArchivePosition? Next)> CollectAsync(
        string endpointId, ArchivePosition at, CancellationToken cancellation)
    {
        var peers = new List<ArchivedPeer>();
        var after = at.AfterConversation.Length == 0 ? null : at.AfterConversation;
        using var size = new RowWriter();
        for (int quarantined = 0, looked = 0; ;)
        {
            var page = await relay.ListConversationsAsync(endpointId, after, RelayLimits.MaxArchivePeers, cancellation)
                .ConfigureAwait(false);
            foreach (var conversation in page)
            {
                if (peers.Count == RelayLimits.MaxArchivePeers || size.Written.Length >= RelayLimits.MaxArchivePartBytes)
                    return (peers, quarantined, at with { Part = at.Part + 1, AfterConversation = after! });
                after = conversation.Id;
                if (conversation.IsQuarantined) quarantined++;
                if (conversation.PeerKeys is not { Known.Count: > 0 } keys) continue;
                var peer = new ArchivedPeer(conversation.Peer, conversation.Identities, keys.Latest, keys.HighestVersion);
                IdentityArchive.WritePeer(size, peer);
                peers.Add(peer);
            }
            if (page.Count < RelayLimits.MaxArchivePeers) return (peers, quarantined, null);
            looked += page.Count;
            if (looked >= RelayLimits.MaxEndpointsPerPage)
                return (peers, quarantined, at with { Part = at.Part + 1, AfterConversation = after! });
        }
    }

    private async ValueTask<byte[]?> SealAsync(RowWriter content, ArchiveKey key, CancellationToken cancellation)
    {
        await _sealing.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            return await Task.Run(() => key switch
            {
                ArchiveKey.Passphrase passphrase => SealedFile.Seal(content.Written, passphrase.Utf8.Span, random),
                ArchiveKey.PublicKey recipient => SealedFile.SealTo(content.Written, recipient.Bytes.Span, random),
                _ => throw new ArgumentException("An archive is sealed to a passphrase or a public key.", nameof(key)),
            }, CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            _sealing.Release();
        }
    }

    private async ValueTask<byte[]?> OpenAsync(ReadOnlyMemory<byte> file, ArchiveKey key, CancellationToken cancellation)
    {
        await _sealing.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            return await Task.Run(() => key switch
            {
                ArchiveKey.Passphrase passphrase => SealedFile.TryOpen(file.Span, passphrase.Utf8.Span, out var content) ? content : null,
                ArchiveKey.PrivateKey ours => SealedFile.TryOpenWith(file.Span, ours.Bytes.Span, out var content) ? content : null,
                _ => throw new ArgumentException("An archive is opened with a passphrase or a private key.", nameof(key)),
            }, CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            _sealing.Release();
        }
    }

    private UInt128 MakeNumber()
    {
        Span<byte> bytes = stackalloc byte[16];
        random.Fill(bytes);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }
}
