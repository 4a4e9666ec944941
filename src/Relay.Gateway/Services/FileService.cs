using System.Buffers.Binary;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Options;
using Relay.Actors;
using Relay.Actors.Files;
using Relay.Gateway.Api;
using Relay.Gateway.Auth;
using Relay.Gateway.Hosting;

namespace Relay.Gateway.Services;

/// <summary>Files between bots and peers, and their blobs for bridges.</summary>
internal sealed class FileService(IRelay relay, IOptions<RelayOptions> options) : V1.FileService.FileServiceBase
{
    private const int TransferIdSize = 16, DigestSize = 32;

    public override async Task<V1.FileTransfer> CreateFile(V1.CreateFileRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        Targets.CheckRequestId(request.RequestId, violations);
        var address = Targets.Parse(request.Parent, request.Peer, violations);
        violations.AddIf(!FileNames.IsName(request.FileName), "file_name",
            $"must have 1 to {FileLimits.MaxNameBytes} bytes of UTF-8, without separators of paths, control characters and characters that "
                + "reorder text");
        violations.AddIf(!FileNames.IsMediaType(request.MediaType), "media_type",
            $"must be empty, or type/subtype without parameters of at most {FileLimits.MaxMediaTypeBytes} bytes");
        long maxBytes = options.Value.Files.MaxFileBytes;
        violations.AddIf(request.Size < 0 || request.Size > maxBytes, "size", $"must be 0 to {maxBytes}");
        violations.ThrowIfAny();
        Principal.Of(context).RequireEndpoint(address!.EndpointId);
        var (conversationId, peer) = await FindAsync(address, context.CancellationToken);
        var create = new CreateFile(
            request.RequestId, address.EndpointId, conversationId, peer, request.FileName, request.MediaType, request.Size);
        var reply = await relay.Files.CreateAsync(create, context.CancellationToken);
        return FileMapping.File(FileMapping.RequireDone(reply, address.EndpointId, ""));
    }

    public override async Task<V1.FileTransfer> GetFile(V1.GetFileRequest request, ServerCallContext context)
    {
        var (endpointId, fileId) = Parse(request.Name, new Violations(), context);
        var reply = await relay.Files.GetAsync(endpointId, fileId, context.CancellationToken);
        return FileMapping.File(FileMapping.RequireDone(reply, endpointId, fileId));
    }

    public override async Task<V1.ListFilesResponse> ListFiles(V1.ListFilesRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.AddIf(!ResourceNames.TryParseEndpoint(request.Parent, out var endpointId), "parent", "must be endpoints/{endpoint}");
        var page = Paging.Parse(request.PageSize, request.PageToken, violations);
        Principal.Of(context).RequireEndpoint(endpointId!);
        var (files, next) = await relay.Files.ListAsync(endpointId!, page.AfterId, page.Size, context.CancellationToken);
        var response = new V1.ListFilesResponse { NextPageToken = next is null ? "" : page.NextToken(page.Size, () => next) };
        response.Files.AddRange(files.Select(FileMapping.File));
        return response;
    }

    public override async Task<V1.FileTransfer> UploadFile(V1.UploadFileRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        CheckOffset(request.Offset, violations);
        violations.AddIf(request.Data.Length is 0 or > FileLimits.PortionBytes, "data", $"must have 1 to {FileLimits.PortionBytes} bytes");
        var (endpointId, fileId) = Parse(request.Name, violations, context);
        var reply = await relay.Files.WriteAsync(endpointId, fileId, request.Offset, request.Data.Memory, context.CancellationToken);
        return FileMapping.File(FileMapping.RequireDone(reply, endpointId, fileId));
    }

    public override async Task<V1.FileTransfer> CompleteFile(V1.CompleteFileRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        Targets.CheckRequestId(request.RequestId, violations);
        violations.AddIf(request.Sha256.Length is not (0 or DigestSize), "sha256", $"must be empty or have {DigestSize} bytes");
        var (endpointId, fileId) = Parse(request.Name, violations, context);
        var digest = request.Sha256.IsEmpty ? (ReadOnlyMemory<byte>?)null : request.Sha256.Memory;
        var reply = await relay.Files.CompleteAsync(endpointId, fileId, request.RequestId, digest, context.CancellationToken);
        return FileMapping.File(FileMapping.RequireDone(reply, endpointId, fileId));
    }

    public override async Task<V1.DownloadFileResponse> DownloadFile(V1.DownloadFileRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        int max = CheckRead(request.Offset, request.MaxBytes, violations);
        var (endpointId, fileId) = Parse(request.Name, violations, context);
        return await relay.Files.ReadAsync(endpointId, fileId, request.Offset, max, context.CancellationToken) switch
        {
            FileReply.Read read => new V1.DownloadFileResponse { Data = UnsafeByteOperations.UnsafeWrap(read.Data), Size = read.File.Size },
            FileReply.WrongPlace { File: var file } => throw BeyondEnd(file.Stored),
            var reply => throw FileMapping.Error(reply, endpointId, fileId),
        };
    }

    public override async Task<V1.DeleteFileResponse> DeleteFile(V1.DeleteFileRequest request, ServerCallContext context)
    {
        var (endpointId, fileId) = Parse(request.Name, new Violations(), context);
        await relay.Files.DeleteAsync(endpointId, fileId, context.CancellationToken);
        return new V1.DeleteFileResponse();
    }

    public override async Task<V1.DownloadBlobResponse> DownloadBlob(V1.DownloadBlobRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        int max = CheckRead(request.Offset, request.MaxBytes, violations);
        var (endpointId, fileId) = Parse(request.Name, violations, context);
        return await relay.Files.ReadBlobAsync(endpointId, fileId, request.Offset, max, context.CancellationToken) switch
        {
            FileReply.Read read => new V1.DownloadBlobResponse
            {
                Data = UnsafeByteOperations.UnsafeWrap(read.Data), Size = read.File.BlobSize,
            },
            FileReply.WrongPlace { File: var file } => throw BeyondEnd(file.BlobSize),
            var reply => throw FileMapping.Error(reply, endpointId, fileId),
        };
    }

    public override async Task<V1.UploadBlobResponse> UploadBlob(V1.UploadBlobRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        CheckOffset(request.Offset, violations);
        violations.AddIf(request.Data.Length > FileLimits.BlobPartBytes, "data", $"must have at most {FileLimits.BlobPartBytes} bytes");
        var (endpointId, fileId) = request.Name.Length > 0
            ? Parse(request.Name, violations, context) : ParseTransfer(request, violations, context);
        var reply = await relay.Files.WriteBlobAsync(endpointId, fileId, request.Offset, request.Data.Memory, context.CancellationToken);
        var file = FileMapping.RequireDone(reply, endpointId, fileId);
        return new V1.UploadBlobResponse { StoredSize = file.BlobStored, NextPartSize = file.NextBlobPart, Size = file.BlobSize };
    }

    private (string EndpointId, string FileId) ParseTransfer(
        V1.UploadBlobRequest request, Violations violations, ServerCallContext context)
    {
        violations.AddIf(!ResourceNames.TryParseEndpoint(request.Endpoint, out var endpointId), "endpoint",
            "must be endpoints/{endpoint} if `name` is empty");
        violations.CheckLine(request.Peer, 1, GatewayLimits.MaxPeerBytes, "peer");
        violations.AddIf(request.TransferId.Length != TransferIdSize, "transfer_id", $"must have {TransferIdSize} bytes");
        violations.ThrowIfAny();
        Principal.Of(context).RequireEndpoint(endpointId!);
        var transferId = BinaryPrimitives.ReadUInt128BigEndian(request.TransferId.Span);
        return (endpointId!, relay.Files.IncomingId(endpointId!, request.Peer, transferId));
    }

    /// <summary>The conversation and its peer. One by id must exist; its peer is not known otherwise.</summary>
    private async Task<(string ConversationId, string Peer)> FindAsync(ConversationAddress address, CancellationToken cancellation)
    {
        if (address is ConversationAddress.ByPeer { Peer: var peer }) return (relay.ConversationId(address.EndpointId, peer), peer);
        var id = ((ConversationAddress.ById)address).ConversationId;
        return await relay.GetConversationAsync(address.EndpointId, id, cancellation) is { } view
            ? (view.Id, view.IsQuarantined ? throw Replies.Error(new ConversationReply.Quarantined(id), address) : view.Peer)
            : throw Replies.Error(new ConversationReply.NotFound("conversation"), address);
    }

    private static (string EndpointId, string FileId) Parse(string name, Violations violations, ServerCallContext context)
    {
        violations.AddIf(!ResourceNames.TryParseFile(name, out var endpointId, out var fileId), "name",
            "must be endpoints/{endpoint}/files/{file}");
        violations.ThrowIfAny();
        Principal.Of(context).RequireEndpoint(endpointId!);
        return (endpointId!, fileId!);
    }

    private static void CheckOffset(long offset, Violations violations) =>
        violations.AddIf(offset < 0, "offset", "must not be negative");

    private static int CheckRead(long offset, int maxBytes, Violations violations)
    {
        CheckOffset(offset, violations);
        violations.AddIf(maxBytes is < 0 or > GatewayLimits.MaxFileReadBytes, "max_bytes",
            $"must be 0 to {GatewayLimits.MaxFileReadBytes}");
        return maxBytes == 0 ? GatewayLimits.MaxFileReadBytes : maxBytes;
    }

    private static RpcException BeyondEnd(long end) => ApiErrors.OutOfRange("offset", $"is beyond the {end} bytes that there are");
}
