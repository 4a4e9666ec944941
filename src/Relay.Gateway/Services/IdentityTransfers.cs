using System.Globalization;
using System.Text;
using Google.Protobuf;
using Grpc.Core;
using Otr.Core;
using Relay.Actors;
using Relay.Gateway.Api;
using Relay.Gateway.Hosting;

namespace Relay.Gateway.Services;

/// <summary>Checks the requests that export and import identities, and translates the answers.</summary>
internal static class IdentityTransfers
{
    /// <exception cref="RpcException">INVALID_ARGUMENT.</exception>
    public static ExportIdentity Parse(V1.ExportIdentityRequest request)
    {
        var violations = new Violations();
        violations.AddIf(!ResourceNames.TryParseEndpoint(request.Name, out var id), "name", "must be endpoints/{endpoint}");
        ArchiveKey? key = null;
        switch (request.SealCase)
        {
            case V1.ExportIdentityRequest.SealOneofCase.Passphrase:
                key = Passphrase(request.Passphrase, violations);
                break;
            case V1.ExportIdentityRequest.SealOneofCase.PublicKey:
                violations.AddIf(request.PublicKey.Length != SealedFile.KeySize, "public_key", $"must have {SealedFile.KeySize} bytes");
                key = new ArchiveKey.PublicKey(request.PublicKey.Memory);
                break;
            default:
                violations.Add("seal", "is required: a passphrase or a public key");
                break;
        }
        ArchivePosition? at = null;
        violations.AddIf(
            request.PageToken.Length > 0 && !TryParse(request.PageToken, out at), "page_token", "was not issued by this server");
        violations.ThrowIfAny();
        return new ExportIdentity(id!, key!, at);
    }

    public static V1.ExportIdentityResponse ToMessage(string endpointId, ExportReply reply) => reply switch
    {
        ExportReply.Exported exported => new V1.ExportIdentityResponse
        {
            Content = UnsafeByteOperations.UnsafeWrap(exported.File), NextPageToken = Token(exported.Next), Peers = exported.Peers,
            Quarantined = exported.Quarantined,
        },
        ExportReply.NotFound => throw Replies.EndpointNotFound(endpointId),
        ExportReply.NotAKey => throw ApiErrors.InvalidArgument("public_key", "is not an X25519 key"),
        ExportReply.Unavailable => throw ApiErrors.Unavailable("The server cannot do this now; retry.", RelayLimits.UnavailableRetryAfter),
        _ => throw new System.Diagnostics.UnreachableException(reply.GetType().Name),
    };

    /// <exception cref="RpcException">INVALID_ARGUMENT.</exception>
    public static ImportIdentity Parse(V1.ImportIdentityRequest request)
    {
        var violations = new Violations();
        Targets.CheckRequestId(request.RequestId, violations);
        string? id = null;
        violations.AddIf(
            request.Name.Length > 0 && !ResourceNames.TryParseEndpoint(request.Name, out id), "name", "must be endpoints/{endpoint}");
        violations.AddIf(request.EndpointId.Length > 0 && !ResourceNames.IsEndpointId(request.EndpointId), "endpoint_id",
            "must be 1 to 63 of [a-z0-9-], beginning with a letter");
        violations.AddIf(request.Name.Length > 0 && request.EndpointId.Length > 0, "endpoint_id", "must be empty if `name` is set");
        violations.AddIf(request.Content.Length > GatewayLimits.MaxExportPartBytes, "content",
            $"must have at most {GatewayLimits.MaxExportPartBytes} bytes");
        violations.AddIf(!SealedFile.IsSealedFile(request.Content.Span), "content", "must be a part of an export of Relay");
        ArchiveKey? key = null;
        switch (request.SealCase)
        {
            case V1.ImportIdentityRequest.SealOneofCase.Passphrase:
                key = Passphrase(request.Passphrase, violations);
                break;
            case V1.ImportIdentityRequest.SealOneofCase.PrivateKey:
                violations.AddIf(request.PrivateKey.Length != SealedFile.KeySize, "private_key", $"must have {SealedFile.KeySize} bytes");
                key = new ArchiveKey.PrivateKey(request.PrivateKey.Memory);
                break;
            default:
                violations.Add("seal", "is required: the passphrase or the private key");
                break;
        }
        violations.ThrowIfAny();
        return new ImportIdentity(
            request.RequestId, id, request.EndpointId.Length > 0 ? request.EndpointId : null, request.Content.Memory, key!);
    }

    public static V1.ImportIdentityResponse ToMessage(ImportIdentity request, ImportReply reply) => reply switch
    {
        ImportReply.Imported done => new V1.ImportIdentityResponse
        {
            Endpoint = EndpointMapping.ToMessage(done.Endpoint), Peers = done.Peers, Keys = done.Keys, Skipped = done.Skipped,
            ExportId = done.Archive.ToString("x32", CultureInfo.InvariantCulture), Part = done.Part, IsLast = done.IsLast,
            WithoutRoom = done.WithoutRoom,
        },
        _ => throw Failure(reply, request.EndpointId ?? request.NewEndpointId ?? "", request.NewEndpointId),
    };

    /// <exception cref="RpcException">INVALID_ARGUMENT.</exception>
    public static ImportPeerKeys Parse(V1.ImportIdentitiesRequest request)
    {
        var violations = new Violations();
        Targets.CheckRequestId(request.RequestId, violations);
        violations.AddIf(!ResourceNames.TryParseEndpoint(request.Parent, out var id), "parent", "must be endpoints/{endpoint}");
        violations.AddIf(request.Peers.Count is 0 or > RelayLimits.MaxArchivePeers, "peers",
            $"must be 1 to {RelayLimits.MaxArchivePeers}");
        violations.ThrowIfAny();
        var names = new HashSet<string>(StringComparer.Ordinal);
        var peers = new List<KnownPeer>();
        for (int i = 0; i < request.Peers.Count; i++)
        {
            var (peer, field) = (request.Peers[i], string.Create(CultureInfo.InvariantCulture, $"peers[{i}]"));
            violations.CheckLine(peer.Peer, 1, GatewayLimits.MaxPeerBytes, field + ".peer");
            violations.AddIf(!names.Add(peer.Peer), field + ".peer", "must be in the request once");
            violations.AddIf(peer.Identities.Count is 0 or > OtrLimits.MaxKnownFingerprints, field + ".identities",
                $"must be 1 to {OtrLimits.MaxKnownFingerprints}");
            // The first faulty peer is told; thousands of faults would be an answer of megabytes.
            violations.ThrowIfAny();
            peers.Add(new KnownPeer(peer.Peer, Parse(peer, field, violations)));
            violations.ThrowIfAny();
        }
        return new ImportPeerKeys(request.RequestId, id!, peers);
    }

    public static V1.ImportIdentitiesResponse ToMessage(ImportPeerKeys request, ImportReply reply) => reply switch
    {
        ImportReply.KeysImported done => new V1.ImportIdentitiesResponse
        {
            Peers = done.Peers, Keys = done.Keys, Skipped = done.Skipped, WithoutRoom = done.WithoutRoom,
        },
        _ => throw Failure(reply, request.EndpointId, null),
    };

    private static List<IdentityView> Parse(V1.PeerIdentities peer, string field, Violations violations)
    {
        var views = new List<IdentityView>();
        for (int i = 0; i < peer.Identities.Count; i++)
        {
            var (known, place) = (peer.Identities[i], string.Create(CultureInfo.InvariantCulture, $"{field}.identities[{i}]"));
            violations.CheckLine(known.TrustSource, 0, OtrLimits.MaxTrustLabelBytes, place + ".trust_source");
            violations.CheckLine(known.Note, 0, RelayLimits.MaxIdentityNoteBytes, place + ".note");
            bool isFingerprint = Fingerprint.TryParse(known.Fingerprint, out var fingerprint)
                && fingerprint.Length == Fingerprint.DsaSize && !known.Fingerprint.Contains(' ', StringComparison.Ordinal);
            violations.AddIf(!isFingerprint, place + ".fingerprint", "must have 40 hex digits");
            violations.AddIf(views.Exists(v => v.Fingerprint == fingerprint), place + ".fingerprint", "must be among the peer's once");
            views.Add(new IdentityView(fingerprint, new TrustLevel(known.TrustSource), known.Note, null, null, null));
        }
        return views;
    }

    private static RpcException Failure(ImportReply reply, string endpointId, string? newEndpointId) => reply switch
    {
        ImportReply.NotOpened => ApiErrors.InvalidArgument("seal",
            "does not open the content: it is another passphrase or key, or the file was changed", Reasons.ExportNotOpened),
        ImportReply.Malformed => ApiErrors.InvalidArgument("content", "opens, but does not hold what an export holds"),
        ImportReply.NotTheFirst => ApiErrors.InvalidArgument("content", "must be the first part of an export if `name` is empty"),
        ImportReply.OtherNetwork => ApiErrors.FailedPrecondition(
            Reasons.OtherNetwork, "The endpoint is on another network than the export: nothing was imported."),
        ImportReply.NotFound => Replies.EndpointNotFound(endpointId),
        ImportReply.NotCreated { Reply: var created } => EndpointReplies.NotCreated(created, newEndpointId),
        ImportReply.RequestIdReused => ApiErrors.InvalidArgument(
            "request_id", "was already used for a different import", Reasons.RequestIdReused),
        ImportReply.Unavailable => ApiErrors.Unavailable(
            "The server could not import all peers; retry with the same request id.", RelayLimits.UnavailableRetryAfter),
        _ => throw new System.Diagnostics.UnreachableException(reply.GetType().Name),
    };

    private static ArchiveKey.Passphrase Passphrase(string text, Violations violations)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        violations.AddIf(bytes.Length is < GatewayLimits.MinPassphraseBytes or > GatewayLimits.MaxPassphraseBytes, "passphrase",
            $"must have {GatewayLimits.MinPassphraseBytes} to {GatewayLimits.MaxPassphraseBytes} bytes of UTF-8");
        return new ArchiveKey.Passphrase(bytes);
    }

    private static string Token(ArchivePosition? at) => at is null ? ""
        : string.Create(CultureInfo.InvariantCulture, $"{at.Archive:x32}.{at.Part}.{at.AfterConversation}");

    private static bool TryParse(string token, out ArchivePosition? at)
    {
        at = null;
        if (token.Length > 128 || token.Split('.') is not [{ Length: 32 } archive, var part, { Length: > 0 } after]) return false;
        if (!UInt128.TryParse(archive, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number)) return false;
        if (!int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int n) || n is 0 or int.MaxValue) return false;
        at = new ArchivePosition(number, n, after);
        return true;
    }
}
