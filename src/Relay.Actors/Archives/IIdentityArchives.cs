namespace Relay.Actors;

/// <summary>
/// Moves identities between servers: an endpoint's key, and what it knows of the keys of its peers. Never any session: two servers with one
/// session would encrypt twice under one counter.
/// </summary>
public interface IIdentityArchives
{
    /// <summary>Makes one part of an archive; a large one has several, each a file that can be opened by itself.</summary>
    /// <exception cref="Relay.Storage.StoreException"/>
    ValueTask<ExportReply> ExportAsync(ExportIdentity request, CancellationToken cancellation);

    /// <summary>Imports one part. Idempotent by request id.</summary>
    /// <exception cref="Relay.Storage.StoreException"/>
    ValueTask<ImportReply> ImportAsync(ImportIdentity request, CancellationToken cancellation);

    /// <summary>Tells an endpoint keys of its peers that another program knows. Idempotent by request id.</summary>
    /// <exception cref="Relay.Storage.StoreException"/>
    ValueTask<ImportReply> ImportKeysAsync(ImportPeerKeys request, CancellationToken cancellation);
}

/// <summary>What an archive is sealed to, or opened with.</summary>
public abstract record ArchiveKey
{
    /// <param name="Utf8">At most <see cref="Otr.Core.SealedFile.MaxPassphraseBytes"/>.</param>
    public sealed record Passphrase(ReadOnlyMemory<byte> Utf8) : ArchiveKey { public override string ToString() => nameof(Passphrase); }

    /// <summary>To seal to: X25519.</summary>
    public sealed record PublicKey(ReadOnlyMemory<byte> Bytes) : ArchiveKey { public override string ToString() => nameof(PublicKey); }

    /// <summary>To open with: X25519.</summary>
    public sealed record PrivateKey(ReadOnlyMemory<byte> Bytes) : ArchiveKey { public override string ToString() => nameof(PrivateKey); }
}

/// <summary>Where a part of an archive begins.</summary>
/// <param name="Archive">Number of the archive: its parts belong together.</param>
/// <param name="Part">0 is the part with the key.</param>
/// <param name="AfterConversation">The last conversation of the part before.</param>
public sealed record ArchivePosition(UInt128 Archive, int Part, string AfterConversation);

/// <param name="At">Null: the first part of a new archive.</param>
public sealed record ExportIdentity(string EndpointId, ArchiveKey Key, ArchivePosition? At);

public abstract record ExportReply
{
    /// <param name="Quarantined">Conversations that the part leaves out because their rows do not open.</param>
    /// <param name="Next">Null after the last part.</param>
    public sealed record Exported(byte[] File, int Peers, int Quarantined, ArchivePosition? Next) : ExportReply;
    public sealed record NotFound : ExportReply;
    /// <summary>The public key is not one.</summary>
    public sealed record NotAKey : ExportReply;
    public sealed record Unavailable(string Reason) : ExportReply;
}

/// <param name="EndpointId">The endpoint that learns the peers' keys; null: one is created with the archive's key.</param>
/// <param name="NewEndpointId">The id of the endpoint that is created; null: generated.</param>
public sealed record ImportIdentity(string RequestId, string? EndpointId, string? NewEndpointId, ReadOnlyMemory<byte> File, ArchiveKey Key);

/// <summary>Keys of one peer from elsewhere.</summary>
/// <param name="Identities">At most <see cref="Otr.Core.OtrLimits.MaxKnownFingerprints"/>.</param>
public sealed record KnownPeer(string Peer, IReadOnlyList<IdentityView> Identities)
{
    /// <summary>Prints the type only: addresses and fingerprints stay out of logs.</summary>
    public override string ToString() => nameof(KnownPeer);
}

/// <param name="Peers">Each peer once.</param>
public sealed record ImportPeerKeys(string RequestId, string EndpointId, IReadOnlyList<KnownPeer> Peers);

public abstract record ImportReply
{
    /// <param name="Peers">Peers whose keys are known by now.</param>
    /// <param name="Skipped">Peers whose conversation cannot take them: its row does not open.</param>
    public sealed record Imported(EndpointView Endpoint, int Peers, int Keys, int Skipped, UInt128 Archive, int Part, bool IsLast)
        : ImportReply
    {
        /// <summary>Keys of peers with as many as can be known.</summary>
        public int WithoutRoom { get; init; }
    }
    /// <inheritdoc cref="Imported"/>
    public sealed record KeysImported(int Peers, int Keys, int Skipped, int WithoutRoom) : ImportReply;
    /// <summary>The file was changed, is no archive, or the passphrase or key is another.</summary>
    public sealed record NotOpened : ImportReply;
    /// <summary>It opens, but does not hold what an archive holds.</summary>
    public sealed record Malformed : ImportReply;
    /// <summary>An endpoint can be created from the first part only, which has the key.</summary>
    public sealed record NotTheFirst : ImportReply;
    /// <summary>The endpoint is on another network, where the peers' addresses mean nothing.</summary>
    public sealed record OtherNetwork : ImportReply;
    public sealed record NotFound : ImportReply;
    /// <summary>The endpoint could not be created.</summary>
    public sealed record NotCreated(CreateEndpointReply Reply) : ImportReply;
    public sealed record RequestIdReused : ImportReply;
    /// <summary>A part of the peers may have been imported; to be repeated with the same request id.</summary>
    public sealed record Unavailable(string Reason) : ImportReply;
}
