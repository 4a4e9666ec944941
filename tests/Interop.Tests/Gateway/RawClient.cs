using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using Google.Protobuf;
using Grpc.Core;

namespace Interop.Tests.Gateway;

/// <summary>HTTP/2 without gRPC: sends the bytes and headers it is given and returns the response as it is.</summary>
internal sealed class RawClient(Uri address, string token) : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = address };

    /// <summary>A Length-Prefixed-Message.</summary>
    public static byte[] Frame(IMessage message, byte flag = 0) => Frame(message.ToByteArray(), flag);

    /// <summary>A Length-Prefixed-Message.</summary>
    public static byte[] Frame(byte[] payload, byte flag = 0)
    {
        byte[] frame = new byte[5 + payload.Length];
        frame[0] = flag;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), payload.Length);
        payload.CopyTo(frame, 5);
        return frame;
    }

    /// <summary>grpc-status, from the trailers or, in a trailers-only response, from the headers.</summary>
    public static string? Status(HttpResponseMessage response) => Value(response.TrailingHeaders, "grpc-status") ?? Value(response.Headers, "grpc-status");

    /// <summary>The reason of google.rpc.ErrorInfo, from the trailers or the headers; empty if there is none.</summary>
    public static string Reason(HttpResponseMessage response)
    {
        var details = Value(response.TrailingHeaders, "grpc-status-details-bin") ?? Value(response.Headers, "grpc-status-details-bin");
        if (details is null) return "";
        var status = Google.Rpc.Status.Parser.ParseFrom(Convert.FromBase64String(details.PadRight((details.Length + 3) / 4 * 4, '=')));
        return status.GetDetail<Google.Rpc.ErrorInfo>()?.Reason ?? "";
    }

    /// <summary>Posts to a method of <c>relay.v1</c> with the key and reads the whole response.</summary>
    public Task<HttpResponseMessage> PostAsync(string method, byte[] body, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Post, "/relay.v1." + method, body, "application/grpc", [("authorization", "Bearer " + token), .. headers]);

    public async Task<HttpResponseMessage> SendAsync(HttpMethod verb, string path, byte[] body, string? contentType, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(verb, path)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = verb == HttpMethod.Get ? null : new ByteArrayContent(body),
        };
        if (contentType is not null) request.Content?.Headers.TryAddWithoutValidation("content-type", contentType);
        request.Headers.TryAddWithoutValidation("te", "trailers");
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return await _http.SendAsync(request);
    }

    public void Dispose() => _http.Dispose();

    private static string? Value(HttpHeaders headers, string name) => headers.TryGetValues(name, out var values) ? string.Join('|', values) : null;
}
