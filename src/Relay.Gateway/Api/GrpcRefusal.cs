using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Relay.Gateway.Api;

/// <summary>A gRPC error from outside of a service: a response of trailers only, as gRPC over HTTP/2 has it.</summary>
internal static class GrpcRefusal
{
    public static Task WriteAsync(HttpResponse response, RpcException refusal)
    {
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = "application/grpc";
        response.Headers["grpc-status"] = ((int)refusal.StatusCode).ToString(System.Globalization.CultureInfo.InvariantCulture);
        // Percent-encoded, of which the escaping of URIs is a subset.
        response.Headers["grpc-message"] = Uri.EscapeDataString(refusal.Status.Detail);
        foreach (var entry in refusal.Trailers) response.Headers[entry.Key] = entry.IsBinary ? Convert.ToBase64String(entry.ValueBytes).TrimEnd('=') : entry.Value;
        return response.CompleteAsync();
    }
}
