using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;
using Relay.Actors;
using Relay.Actors.Files;
using Relay.Gateway.Hosting;
using Relay.Storage;

namespace Relay.Gateway.Files;

/// <summary>
/// Serves the blobs of files that were sent to whoever has the link, <c>GET</c> and <c>HEAD</c>, whole or in ranges. It is ciphertext; the
/// key is in the private session. Whatever is wrong with a token, the answer is the same.
/// </summary>
internal static class BlobLinks
{
    private const string MediaType = "application/octet-stream", TokenParameter = "token";

    /// <summary>Without a public URL there are no links, and nothing is served.</summary>
    public static void MapBlobLinks(this IEndpointRouteBuilder app)
    {
        if (app.ServiceProvider.GetRequiredService<IOptions<RelayOptions>>().Value.Files.PublicUrl is null) return;
        app.MapMethods(FileLimits.LinkPath + "{" + TokenParameter + "}", [HttpMethods.Get, HttpMethods.Head], (RequestDelegate)ServeAsync)
            .WithMetadata(new AllowAnonymousAttribute());
    }

    private static async Task ServeAsync(HttpContext context)
    {
        var services = context.RequestServices;
        // Nothing of it may be taken for a page, kept by what is in between, or told to another site.
        var headers = context.Response.Headers;
        headers.CacheControl = "no-store";
        headers.XContentTypeOptions = "nosniff";
        headers.ContentSecurityPolicy = "default-src 'none'; sandbox";
        headers["Referrer-Policy"] = "no-referrer";
        using var lease = services.GetRequiredService<BlobQuotas>().Begin(context.Connection.RemoteIpAddress);
        if (!lease.IsAcquired)
        {
            headers.RetryAfter = "1";
            await AnswerAsync(context, StatusCodes.Status429TooManyRequests, "too many requests\n");
            return;
        }
        try
        {
            await ServeAsync(context, services.GetRequiredService<IRelay>().Files);
        }
        catch (Exception e) when (e is IOException or StoreException)
        {
            // Cut short, so that nobody takes the beginning for all of it.
            if (context.Response.HasStarted) context.Abort();
            else await AnswerAsync(context, StatusCodes.Status503ServiceUnavailable, "try again\n");
        }
    }

    private static async Task ServeAsync(HttpContext context, IFiles files)
    {
        var token = context.GetRouteValue(TokenParameter) as string ?? "";
        var reply = files.TryOpenLink(token) is var (endpointId, fileId)
            ? await files.GetAsync(endpointId, fileId, context.RequestAborted) : FileReply.NotFound.Instance;
        if (reply is not FileReply.Done { File: { State: FileState.Sent } file })
        {
            await AnswerAsync(context, StatusCodes.Status404NotFound, "not found\n");
            return;
        }
        context.Response.Headers.ContentDisposition = "attachment";
        await using var blob = new BlobStream(files, file);
        // What was sent never changes.
        var etag = new EntityTagHeaderValue($"\"{file.Id}\"");
        await TypedResults.Stream(blob, MediaType, entityTag: etag, enableRangeProcessing: true).ExecuteAsync(context);
    }

    private static Task AnswerAsync(HttpContext context, int status, string text)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain";
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.WriteAsync(text);
    }
}
