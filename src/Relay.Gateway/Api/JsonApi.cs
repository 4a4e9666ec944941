using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Rpc;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Grpc.JsonTranscoding;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;
using Relay.Gateway.Hosting;
using HttpResponse = Microsoft.AspNetCore.Http.HttpResponse;

namespace Relay.Gateway.Api;

/// <summary>
/// The HTTP/JSON form of the API: the same services, by the routes that the protos give each method (google.api.http), with the same
/// authentication, limits and errors.
/// </summary>
internal static class JsonApi
{
    // Errors carry google.rpc's details as Any: the formatter must know their types.
    private static readonly TypeRegistry s_details = TypeRegistry.FromFiles(ErrorDetailsReflection.Descriptor);

    private static readonly PathString s_root = "/v1";

    /// <summary>The parameter at whose place a caller of server-sent events sends Last-Event-ID.</summary>
    private const string Cursor = "afterSequence", CursorField = "after_sequence";

    private static readonly JsonFormatter s_formatter = new(JsonFormatter.Settings.Default.WithTypeRegistry(s_details));

    public static void Configure(GrpcJsonTranscodingOptions options)
    {
        options.TypeRegistry = s_details;
        // A number beyond 2^53 is not exact in JavaScript.
        options.JsonSettings.WriteInt64sAsStrings = true;
    }

    /// <summary>True for a call over HTTP/JSON.</summary>
    public static bool IsTranscoded(ServerCallContext context) =>
        context.GetHttpContext().GetEndpoint()?.Metadata.GetMetadata<GrpcJsonTranscodingMetadata>() is not null;

    /// <summary>
    /// Prepares JSON calls, after routing: their bodies are bounded as the messages of gRPC calls are, with room for base64 and names;
    /// a body is JSON also if the caller says nothing of it, or what curl says by default; and a path that leads nowhere is answered in
    /// the form of all errors.
    /// </summary>
    public static void PrepareJsonCalls(this IApplicationBuilder app) => app.Use(next => context =>
    {
        if (context.GetEndpoint() is not { } endpoint)
        {
            return context.Request.Path.StartsWithSegments(s_root, StringComparison.Ordinal)
                ? WriteErrorAsync(context.Response, ApiErrors.NoRoute())
                : next(context);
        }
        if (endpoint.Metadata.GetMetadata<GrpcJsonTranscodingMetadata>() is null) return next(context);
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = GatewayLimits.MaxJsonBodyBytes;
        // No cookie authenticates a call, so a form on another site cannot make one.
        if (context.Request.ContentType is null or "application/x-www-form-urlencoded") context.Request.ContentType = "application/json";
        // The transcoder takes any charset, and answers in it; one that it does not know is a fault of the server to it.
        return IsUtf8(context.Request.ContentType) ? next(context)
            : WriteErrorAsync(context.Response, ApiErrors.InvalidArgument("content-type", "must be application/json, in UTF-8"));
    });

    /// <summary>
    /// Serves server-sent events to a caller that accepts them (<c>text/event-stream</c>), from the lines of JSON that a streaming method
    /// writes. After routing, before the endpoint.
    /// </summary>
    public static void ServeEventStreams(this IApplicationBuilder app) => app.Use(next => context =>
    {
        var method = context.GetEndpoint()?.Metadata.GetMetadata<GrpcJsonTranscodingMetadata>()?.MethodDescriptor;
        bool isWanted = method is { IsServerStreaming: true }
            && context.Request.Headers.Accept.ToString().Contains(EventStreamBody.MediaType, StringComparison.OrdinalIgnoreCase);
        if (!isWanted) return next(context);
        // A client that reconnects repeats its address, cursor and all: where it was is in the header. A subscription knows by itself.
        if (context.Request.Headers["Last-Event-ID"] is [{ Length: > 0 } last]
            && method!.InputType.FindFieldByName(CursorField) is not null)
        {
            var others = context.Request.Query.Where(q => q.Key is not (Cursor or CursorField));
            context.Request.QueryString = QueryString.Create(others).Add(Cursor, last);
        }
        return EventStreamBody.WrapAsync(context, next);
    });

    /// <summary>Gives a reason to errors of the transcoder itself. After routing, before the endpoint.</summary>
    public static void ExplainMalformedJson(this IApplicationBuilder app) => app.Use(next => context =>
        context.GetEndpoint()?.Metadata.GetMetadata<GrpcJsonTranscodingMetadata>() is null ? next(context) : JsonErrorBody.WrapAsync(context, next));

    /// <summary>Writes an error outside a service, in the form that the services' errors have: <c>google.rpc.Status</c> as JSON.</summary>
    public static Task WriteErrorAsync(HttpResponse response, RpcException error)
    {
        response.StatusCode = HttpStatus(error.StatusCode);
        response.ContentType = "application/json";
        return response.WriteAsync(s_formatter.Format(error.GetRpcStatus() ?? new Google.Rpc.Status
        {
            Code = (int)error.StatusCode, Message = error.Status.Detail,
        }));
    }

    private static bool IsUtf8(string contentType) => MediaTypeHeaderValue.TryParse(contentType, out var type)
        && (!type.Charset.HasValue || type.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase));

    /// <summary>The HTTP status of an error outside a service, by google/rpc/code.proto.</summary>
    private static int HttpStatus(StatusCode code) => code switch
    {
        StatusCode.Unauthenticated => StatusCodes.Status401Unauthorized,
        StatusCode.PermissionDenied => StatusCodes.Status403Forbidden,
        StatusCode.NotFound => StatusCodes.Status404NotFound,
        StatusCode.InvalidArgument => StatusCodes.Status400BadRequest,
        StatusCode.Unavailable => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status500InternalServerError,
    };
}
