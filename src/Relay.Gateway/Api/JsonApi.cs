using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Rpc;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Grpc.JsonTranscoding;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
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

    private static readonly JsonFormatter s_formatter = new(JsonFormatter.Settings.Default.WithTypeRegistry(s_details));

    public static void Configure(GrpcJsonTranscodingOptions options)
    {
        options.TypeRegistry = s_details;
        // A number beyond 2^53 is not exact in JavaScript.
        options.JsonSettings.WriteInt64sAsStrings = true;
    }

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
        return next(context);
    });

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

    /// <summary>The HTTP status of an error outside a service, by google/rpc/code.proto.</summary>
    private static int HttpStatus(StatusCode code) => code switch
    {
        StatusCode.Unauthenticated => StatusCodes.Status401Unauthorized,
        StatusCode.PermissionDenied => StatusCodes.Status403Forbidden,
        StatusCode.NotFound => StatusCodes.Status404NotFound,
        StatusCode.Unavailable => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status500InternalServerError,
    };
}
