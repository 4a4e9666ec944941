using System.Text.Json;
using System.Text.Json.Nodes;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Relay.Gateway.Api;

/// <summary>
/// A response's body that adds the reason MALFORMED_MESSAGE to the errors of the transcoder: JSON, a path or a query that is not the method's
/// message is refused before any code of ours, and without details. Responses, and errors with details, pass as they are.
/// </summary>
internal sealed class JsonErrorBody : Stream
{
    private readonly HttpResponse _response;
    private readonly Stream _inner;
    private MemoryStream? _error;

    private JsonErrorBody(HttpResponse response, Stream inner) => (_response, _inner) = (response, inner);

    public static async Task WrapAsync(HttpContext context, RequestDelegate next)
    {
        var inner = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        await using var body = new JsonErrorBody(context.Response, inner.Stream);
        context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(body, inner));
        try
        {
            await next(context);
            await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
            await body.WriteErrorAsync(context.RequestAborted);
        }
        finally
        {
            context.Features.Set(inner);
        }
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        // An error has set its status before its first byte.
        if (_error is null && _response.StatusCode < StatusCodes.Status400BadRequest) return _inner.WriteAsync(buffer, cancellationToken);
        (_error ??= new MemoryStream()).Write(buffer.Span);
        return ValueTask.CompletedTask;
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) =>
        _error is null ? _inner.FlushAsync(cancellationToken) : Task.CompletedTask;

    private async Task WriteErrorAsync(CancellationToken cancellation)
    {
        if (_error is null) return;
        var error = JsonNode.Parse(_error.ToArray())!.AsObject();
        if (error["code"]?.GetValue<int>() == (int)StatusCode.InvalidArgument && error["details"] is null or JsonArray { Count: 0 })
        {
            error["details"] = new JsonArray(new JsonObject
            {
                ["@type"] = "type.googleapis.com/google.rpc.ErrorInfo", ["reason"] = Reasons.MalformedMessage, ["domain"] = Reasons.Domain,
            });
        }
        await _inner.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(error), cancellation);
    }

    public override bool CanRead => false;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
    public override void Flush() => throw new NotSupportedException("Synchronous I/O is not used.");
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("Synchronous I/O is not used.");

    protected override void Dispose(bool disposing)
    {
        if (disposing) _error?.Dispose();
        base.Dispose(disposing);
    }
}
