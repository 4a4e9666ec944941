using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Relay.Gateway.Api;

/// <summary>
/// A response's body that turns lines of JSON into server-sent events: each line is the data of one event, whose id is the sequence of
/// the event in it. An error that comes before the first line is left as it is.
/// </summary>
internal sealed class EventStreamBody : Stream
{
    public const string MediaType = "text/event-stream";

    private static readonly byte[] s_data = "data: "u8.ToArray(), s_end = "\n\n"u8.ToArray();

    private readonly HttpResponse _response;
    private readonly Stream _inner;
    private readonly MemoryStream _line = new();
    private bool? _isEvents;

    private EventStreamBody(HttpResponse response, Stream inner) => (_response, _inner) = (response, inner);

    public static async Task WrapAsync(HttpContext context, RequestDelegate next)
    {
        var inner = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        await using var body = new EventStreamBody(context.Response, inner.Stream);
        // Proxies must not gather events.
        context.Response.Headers["X-Accel-Buffering"] = "no";
        context.Response.Headers.CacheControl = "no-cache";
        context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(body, inner));
        try
        {
            await next(context);
            await body.FlushAsync(context.RequestAborted);
        }
        finally
        {
            context.Features.Set(inner);
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        // Decided with the first bytes: an error has set its status by then.
        if (_isEvents is null)
        {
            _isEvents = _response.StatusCode == StatusCodes.Status200OK;
            if (_isEvents.Value) _response.ContentType = MediaType;
        }
        if (!_isEvents.Value)
        {
            await _inner.WriteAsync(buffer, cancellationToken);
            return;
        }
        while (buffer.Length > 0)
        {
            int end = buffer.Span.IndexOf((byte)'\n');
            _line.Write(buffer.Span[..(end < 0 ? buffer.Length : end)]);
            if (end < 0) return;
            buffer = buffer[(end + 1)..];
            await WriteEventAsync(cancellationToken);
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => _inner.FlushAsync(cancellationToken);

    private async Task WriteEventAsync(CancellationToken cancellation)
    {
        var line = _line.GetBuffer().AsMemory(0, (int)_line.Length);
        if (line.Length == 0) return;
        if (Sequence(line) is { } sequence) await _inner.WriteAsync(Encoding.ASCII.GetBytes($"id: {sequence}\n"), cancellation);
        await _inner.WriteAsync(s_data, cancellation);
        await _inner.WriteAsync(line, cancellation);
        await _inner.WriteAsync(s_end, cancellation);
        _line.SetLength(0);
    }

    /// <summary>The sequence of the event in a line; null for other messages.</summary>
    private static string? Sequence(ReadOnlyMemory<byte> line)
    {
        using var json = JsonDocument.Parse(line);
        return json.RootElement.TryGetProperty("event", out var e) && e.TryGetProperty("sequence", out var sequence)
            ? sequence.GetString() : null;
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
        if (disposing) _line.Dispose();
        base.Dispose(disposing);
    }
}
