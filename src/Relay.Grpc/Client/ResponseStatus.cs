using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Grpc.Core;
using Grpc.Wire;

namespace Grpc.Net.Client;

/// <summary>The status that a response, or its failure, stands for.</summary>
internal static class ResponseStatus
{
    /// <summary>The status of a response that is no gRPC; null if it is ("HTTP to gRPC Status Code Mapping").</summary>
    public static Status? FromHttp(HttpResponseMessage response)
    {
        bool isGrpc = GrpcProtocol.IsGrpcContentType(response.Content.Headers.ContentType?.ToString());
        if (response.StatusCode == HttpStatusCode.OK)
        {
            if (isGrpc)
                return null;
            return new Status(StatusCode.Unknown, "Bad gRPC response. The content-type is not application/grpc.");
        }
        // A status of gRPC's own says more than HTTP's.
        if (TryRead(response.Headers, out Status status) && status.StatusCode != StatusCode.OK)
            return status;
        StatusCode code = response.StatusCode switch
        {
            HttpStatusCode.BadRequest => StatusCode.Internal,
            HttpStatusCode.Unauthorized => StatusCode.Unauthenticated,
            HttpStatusCode.Forbidden => StatusCode.PermissionDenied,
            HttpStatusCode.NotFound => StatusCode.Unimplemented,
            HttpStatusCode.TooManyRequests or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout => StatusCode.Unavailable,
            _ => StatusCode.Unknown,
        };
        return new Status(code, string.Create(CultureInfo.InvariantCulture, $"Bad gRPC response. HTTP status code: {(int)response.StatusCode}"));
    }

    /// <summary>Reads grpc-status and grpc-message; false if there is no status.</summary>
    public static bool TryRead(HttpHeaders headers, out Status status)
    {
        string? code = GetSingle(headers, GrpcProtocol.StatusHeader);
        if (code is null)
        {
            status = default;
            return false;
        }
        string message = PercentEncoding.Decode(GetSingle(headers, GrpcProtocol.MessageHeader) ?? "");
        // A number that is not defined reads as UNKNOWN.
        status = int.TryParse(code, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value <= (int)StatusCode.Unauthenticated
            ? new Status((StatusCode)value, message)
            : new Status(StatusCode.Unknown, message);
        return true;
    }

    /// <summary>The custom metadata among the headers.</summary>
    public static Metadata ReadMetadata(HttpResponseMessage response)
    {
        var metadata = new Metadata();
        Add(metadata, response.Headers);
        // To HttpClient some names ("expires", "allow") are headers of the content.
        Add(metadata, response.Content.Headers);
        return metadata;
    }

    /// <summary>The custom metadata among the trailers.</summary>
    public static Metadata ReadTrailers(HttpResponseMessage response)
    {
        var metadata = new Metadata();
        Add(metadata, response.TrailingHeaders);
        return metadata;
    }

    private static void Add(Metadata metadata, HttpHeaders headers)
    {
        foreach (var (name, values) in headers.NonValidated)
        {
            foreach (string value in values)
            {
                // A value that is not base64 is the server's fault and no reason to lose its answer.
                MetadataHeaders.TryAdd(metadata, name, value);
            }
        }
    }

    public static string? GetSingle(HttpHeaders headers, string name) =>
        headers.NonValidated.TryGetValues(name, out HeaderStringValues values) ? values.ToString() : null;

    /// <summary>The status for a failure below gRPC ("PROTOCOL-HTTP2", "Errors").</summary>
    public static Status FromException(Exception exception)
    {
        for (Exception? cause = exception; cause is not null; cause = cause.InnerException)
        {
            if (cause is HttpProtocolException protocol)
                return new Status(FromHttp2Error(protocol.ErrorCode), "The stream was reset by the server.", exception);
        }
        return exception switch
        {
            HttpRequestException => new Status(StatusCode.Unavailable, $"Error connecting to the server. {exception.Message}", exception),
            IOException => new Status(StatusCode.Unavailable, "The connection to the server was lost.", exception),
            OperationCanceledException => new Status(StatusCode.Cancelled, "The call was cancelled.", exception),
            _ => new Status(StatusCode.Internal, $"Error starting gRPC call. {exception.GetType().Name}: {exception.Message}", exception),
        };
    }

    // RFC 9113, section 7.
    private static StatusCode FromHttp2Error(long errorCode) => errorCode switch
    {
        0x7 => StatusCode.Unavailable,
        0x8 => StatusCode.Cancelled,
        0xb => StatusCode.ResourceExhausted,
        0xc => StatusCode.PermissionDenied,
        _ => StatusCode.Internal,
    };
}
