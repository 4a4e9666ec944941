using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Scalar.AspNetCore;

namespace Relay.Gateway.OpenApi;

/// <summary>
/// A page to read and try the API, made by Scalar from the OpenAPI document. Its files are in the package; the content security policy
/// keeps the browser from loading anything from elsewhere, and from sending a key that somebody enters to anybody but this server.
/// </summary>
internal static class ReferencePage
{
    public const string Path = "/docs";

    /// <summary>Sets the headers of the page and its files. Before the endpoints run.</summary>
    public static void ProtectReferencePage(this IApplicationBuilder app) => app.Use(next => context =>
    {
        if (!context.Request.Path.StartsWithSegments(Path, StringComparison.OrdinalIgnoreCase)) return next(context);
        context.Response.OnStarting(() =>
        {
            var nonce = context.Items[ScalarOptions.NonceHttpContextItemKey] as string;
            var scripts = nonce is null ? "'self'" : $"'self' 'nonce-{nonce}'";
            context.Response.Headers.ContentSecurityPolicy = $"default-src 'none'; script-src {scripts}; style-src 'self' 'unsafe-inline'; "
                + "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
                + "frame-ancestors 'none'";
            context.Response.Headers["Referrer-Policy"] = "no-referrer";
            context.Response.Headers.XContentTypeOptions = "nosniff";
            return Task.CompletedTask;
        });
        return next(context);
    });

    public static void MapReferencePage(this IEndpointRouteBuilder app) => app.MapScalarApiReference(Path, options =>
    {
        options.Title = "Relay";
        options.OpenApiRoutePattern = OpenApiEndpoint.Path;
        options.DynamicNonce = true;
        // Nothing from outside, and nothing to the outside.
        options.DefaultFonts = false;
        options.Telemetry = false;
        options.ProxyUrl = null;
        options.HideClientButton = true;
        options.PersistentAuthentication = false;
        options.HideDeveloperTools().DisableAgent().DisableMcp();
    }).WithMetadata(new AllowAnonymousAttribute());
}
