using System.Text;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Relay.Gateway.Hosting;
using Relay.Gateway.Telemetry;
using Relay.Gateway.WebConsole.Pages;

namespace Relay.Gateway.WebConsole;

/// <summary>Answers the requests to the console's port: checks them, finds who is signed in, and the page.</summary>
internal sealed class ConsoleRoutes(
    ConsoleSessions sessions, SignIn signIn, ApiCalls api, Layout layout, Overview overview, TimeProvider time, ILogger<ConsoleRoutes> log)
{
    /// <summary>
    /// Nothing but the style sheet of this server, and no script at all, may be loaded; forms go to this server only; no other site may
    /// frame it.
    /// </summary>
    private const string Policy =
        "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    private static readonly byte[] s_packedStyle = Pack(Layout.Style);

    public async Task ServeAsync(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        AddHeaders(response);
        if (!ConsolePort.IsHostAllowed(request))
        {
            await WriteAsync(response, StatusCodes.Status421MisdirectedRequest, Layout.Lone("Not here", Markup.Of(
                $"<p>Without TLS the console answers to localhost and 127.0.0.1 only. Open it by one of these names.</p>")));
            return;
        }
        bool isPost = HttpMethods.IsPost(request.Method);
        if (!isPost && !HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method))
        {
            response.Headers.Allow = "GET, HEAD, POST";
            await WriteAsync(response, StatusCodes.Status405MethodNotAllowed, Layout.Lone("Not possible", Markup.Empty));
            return;
        }
        var path = request.Path.Value is { Length: > 1 } given ? given.TrimEnd('/') : "/";
        if (!isPost && path == Layout.StylePath)
        {
            await WriteStyleAsync(context);
            return;
        }
        var fields = FormCollection.Empty as IFormCollection;
        if (isPost && await ReadFormAsync(context) is { } sent) fields = sent;
        else if (isPost) return;
        if (path == SignIn.Path)
        {
            await signIn.ServeAsync(context, isPost ? fields : null);
            return;
        }
        if (!sessions.TryFind(request, out var session))
        {
            if (isPost)
            {
                await WriteAsync(response, StatusCodes.Status401Unauthorized, Layout.Lone("Signed out", Markup.Of(
                    $"""<p>You are not signed in any more, and nothing was done.</p><p class="more"><a class="button" href="{SignIn.Path}">Sign in</a></p>""")));
            }
            else Redirect(response, SignIn.Path);
            return;
        }
        await ServeAsync(new Visit(context, session, api, time, path, fields), isPost);
    }

    private async Task ServeAsync(Visit visit, bool isPost)
    {
        var response = visit.Http.Response;
        if (isPost && !visit.Session.TakeForm(visit.Path, visit.RequestId, visit.Fields[FormFields.Code].ToString(), visit.Now))
        {
            await ShowAsync(visit, Refusal("Not done", StatusCodes.Status409Conflict,
                "This form was sent before, is too old, or was not made by this console. Nothing was done. Go back to its page, and send it from there."));
            return;
        }
        ConsoleReply reply;
        try
        {
            reply = isPost ? await ActAsync(visit) : await ReadAsync(visit);
        }
        catch (RpcException e)
        {
            // Whoever repeats the form repeats the request id, which carries nothing out twice.
            if (isPost) visit.Session.ReturnForm(visit.RequestId);
            reply = Refusal(e.StatusCode == StatusCode.PermissionDenied ? "Not allowed" : e.StatusCode == StatusCode.NotFound ? "Not found" : "Not done",
                StatusOf(e.StatusCode), e.Status.Detail);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            log.CallFailed("the console", e);
            reply = Refusal("Not done", StatusCodes.Status500InternalServerError, "The console failed, which is a fault of Relay. The log of this node has more (event 2000).");
        }
        if (reply is ConsoleReply.SeeOther other) Redirect(response, other.Path);
        else await ShowAsync(visit, (ConsoleReply.Page)reply);
    }

    private Task<ConsoleReply> ReadAsync(Visit visit) => Segments(visit) switch
    {
        [] => overview.ShowAsync(visit),
        ["endpoints"] => EndpointPages.ListAsync(visit),
        ["endpoints", var id] => EndpointPages.ShowAsync(visit, id),
        ["conversations"] => ConversationList.ShowAsync(visit),
        ["endpoints", var id, "conversations", var conversation] => ConversationPage.ShowAsync(visit, id, conversation),
        ["endpoints", var id, "conversations", var conversation, "end" or "delete"] => ConversationPage.AskAsync(visit, id, conversation),
        ["trust"] => TrustPage.ShowAsync(visit),
        ["streams"] => StreamsPage.ShowAsync(visit),
        ["streams", var id, var subscription, "drop"] => StreamsPage.AskAsync(visit, id, subscription),
        ["nodes"] => overview.ShowNodesAsync(visit),
        ["keys"] => KeyPages.ListAsync(visit),
        ["keys", "new"] => KeyPages.AskNewAsync(visit),
        ["keys", var key, var action and ("rotate" or "revoke" or "delete")] => KeyPages.AskAsync(visit, key, action),
        ["audit"] => AuditPage.ShowAsync(visit),
        _ => Task.FromResult<ConsoleReply>(Refusal("Not found", StatusCodes.Status404NotFound, "The console has no such page.")),
    };

    private Task<ConsoleReply> ActAsync(Visit visit) => Segments(visit) switch
    {
        ["sign-out"] => SignOutAsync(visit),
        ["endpoints", var id, "conversations", var conversation, "end"] => ConversationPage.EndAsync(visit, id, conversation),
        ["endpoints", var id, "conversations", var conversation, "delete"] => ConversationPage.DeleteAsync(visit, id, conversation),
        ["endpoints", var id, "conversations", var conversation, "identities", var fingerprint] =>
            TrustPage.DecideAsync(visit, id, conversation, fingerprint),
        ["streams", var id, var subscription, "retry"] => StreamsPage.RetryAsync(visit, id, subscription),
        ["streams", var id, var subscription, "drop"] => StreamsPage.DropAsync(visit, id, subscription),
        ["keys", "new"] => KeyPages.CreateAsync(visit),
        ["keys", var key, "rotate"] => KeyPages.RotateAsync(visit, key),
        ["keys", var key, "revoke"] => KeyPages.RevokeAsync(visit, key),
        ["keys", var key, "delete"] => KeyPages.DeleteAsync(visit, key),
        _ => Task.FromResult<ConsoleReply>(Refusal("Not found", StatusCodes.Status404NotFound, "The console has no such form.")),
    };

    private static string[] Segments(Visit visit) => visit.Path.Split('/', StringSplitOptions.RemoveEmptyEntries);

    private Task<ConsoleReply> SignOutAsync(Visit visit)
    {
        sessions.End(visit.Http, visit.Session);
        return Task.FromResult<ConsoleReply>(new ConsoleReply.SeeOther(SignIn.Path));
    }

    private async Task ShowAsync(Visit visit, ConsoleReply.Page page)
    {
        visit.Session.Survey ??= new Survey(visit.Session, api, time);
        var html = layout.Page(visit, page, visit.Session.Survey.Found);
        await WriteAsync(visit.Http.Response, page.Status, html);
    }

    private static ConsoleReply.Page Refusal(string title, int status, string text) =>
        new(title, "", Markup.Of($"""<p class="notice bad" role="alert">{text}</p><p><a href="/">To the overview</a></p>""")) { Status = status };

    private static int StatusOf(StatusCode status) => status switch
    {
        StatusCode.NotFound => StatusCodes.Status404NotFound,
        StatusCode.PermissionDenied => StatusCodes.Status403Forbidden,
        StatusCode.InvalidArgument or StatusCode.OutOfRange => StatusCodes.Status400BadRequest,
        StatusCode.Unauthenticated => StatusCodes.Status401Unauthorized,
        StatusCode.ResourceExhausted => StatusCodes.Status429TooManyRequests,
        StatusCode.Unavailable or StatusCode.Cancelled => StatusCodes.Status503ServiceUnavailable,
        StatusCode.Internal or StatusCode.Unknown => StatusCodes.Status500InternalServerError,
        _ => StatusCodes.Status409Conflict,
    };

    /// <summary>The fields of a form; null if it was refused, and the response says why.</summary>
    private static async Task<IFormCollection?> ReadFormAsync(HttpContext context)
    {
        var request = context.Request;
        if (!ConsolePort.IsSameOrigin(request))
        {
            await WriteAsync(context.Response, StatusCodes.Status403Forbidden, Layout.Lone("Not done", Markup.Of(
                $"<p>This form did not come from a page of this console, as far as the browser tells (Origin). Nothing was done.</p>")));
            return null;
        }
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = GatewayLimits.MaxConsoleFormBytes;
        try
        {
            if (request.ContentType?.StartsWith("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase) == true)
                return await request.ReadFormAsync(context.RequestAborted);
        }
        catch (Exception e) when (e is InvalidDataException or BadHttpRequestException)
        {
            // Too many fields, or too large.
        }
        await WriteAsync(context.Response, StatusCodes.Status400BadRequest, Layout.Lone("Not done", Markup.Of($"<p>That is not a form of this console.</p>")));
        return null;
    }

    private static void AddHeaders(HttpResponse response)
    {
        var headers = response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        // Not no-referrer, with which browsers send a form's Origin as null.
        headers["Referrer-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=()";
        headers.CacheControl = "no-store";
    }

    private static void Redirect(HttpResponse response, string path)
    {
        response.StatusCode = StatusCodes.Status303SeeOther;
        response.Headers.Location = path;
    }

    /// <summary>
    /// Pages are not compressed: their length would tell something of what is on them to whoever can have parts of them chosen.
    /// </summary>
    internal static Task WriteAsync(HttpResponse response, int status, Markup page)
    {
        var body = Encoding.UTF8.GetBytes(page.ToString());
        response.StatusCode = status;
        response.ContentType = "text/html; charset=utf-8";
        response.ContentLength = body.Length;
        return HttpMethods.IsHead(response.HttpContext.Request.Method) ? Task.CompletedTask : response.Body.WriteAsync(body).AsTask();
    }

    private static async Task WriteStyleAsync(HttpContext context)
    {
        var response = context.Response;
        bool isPacked = context.Request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.OrdinalIgnoreCase);
        var body = isPacked ? s_packedStyle : Layout.Style;
        response.ContentType = "text/css; charset=utf-8";
        response.Headers.CacheControl = "public, max-age=31536000, immutable";
        response.Headers.Vary = "Accept-Encoding";
        if (isPacked) response.Headers.ContentEncoding = "gzip";
        response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(context.Request.Method)) await response.Body.WriteAsync(body);
    }

    private static byte[] Pack(byte[] text)
    {
        using var packed = new MemoryStream();
        using (var gzip = new System.IO.Compression.GZipStream(packed, System.IO.Compression.CompressionLevel.SmallestSize)) gzip.Write(text);
        return packed.ToArray();
    }
}
