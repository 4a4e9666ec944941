using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Relay.Gateway.OpenApi;

/// <summary>Serves the OpenAPI document. What the API looks like is no secret, so it needs no key.</summary>
internal static class OpenApiEndpoint
{
    public const string Path = "/openapi/v1.json";

    public static void MapOpenApi(this IEndpointRouteBuilder app)
    {
        var document = new Lazy<byte[]>(OpenApiDocument.Make);
        app.MapMethods(Path, [HttpMethods.Get, HttpMethods.Head], (RequestDelegate)(context =>
        {
            context.Response.ContentType = "application/json";
            context.Response.Headers.CacheControl = "no-cache";
            return context.Response.Body.WriteAsync(document.Value, context.RequestAborted).AsTask();
        })).WithMetadata(new AllowAnonymousAttribute());
    }
}
