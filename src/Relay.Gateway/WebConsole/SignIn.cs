using System.Net;
using System.Threading.RateLimiting;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Relay.Gateway.Audit;
using Relay.Gateway.Auth;
using Relay.Gateway.Hosting;
using Relay.Gateway.Telemetry;
using Relay.Storage;

namespace Relay.Gateway.WebConsole;

/// <summary>Signs in by an API key, which is sent in the body of a form and kept nowhere but as its hash.</summary>
internal sealed class SignIn(
    ConsoleSessions sessions, IApiKeyStore keys, KeyUse use, AuditLog audit, SignInRefusals refusals, GatewayMetrics metrics,
    TimeProvider time, ILogger<SignIn> log) : IDisposable
{
    public const string Path = "/sign-in";
    private const string KeyField = "key", AuditMethod = "Console/SignIn";

    /// <summary>Scopes that a page of the console is of use for.</summary>
    private static readonly KeyScope[] s_scopes = [KeyScope.Admin, KeyScope.Monitor, KeyScope.Trust, KeyScope.Keys];

    private readonly PartitionedRateLimiter<IPAddress> _attempts = PartitionedRateLimiter.Create<IPAddress, IPAddress>(network =>
        RateLimitPartition.GetFixedWindowLimiter(network, _ => new FixedWindowRateLimiterOptions
        {
            PermitLimit = GatewayLimits.ConsoleSignInsPerMinute, Window = TimeSpan.FromMinutes(1), AutoReplenishment = false,
        }));

    /// <param name="fields">Of the form; null: the page is asked for.</param>
    public async Task ServeAsync(HttpContext context, IFormCollection? fields)
    {
        if (fields is null)
        {
            await ShowAsync(context, StatusCodes.Status200OK, "");
            return;
        }
        using var attempt = _attempts.AttemptAcquire(CallerNetwork.Of(context.Connection.RemoteIpAddress));
        if (!attempt.IsAcquired)
        {
            context.Response.Headers.RetryAfter = "60";
            await ShowAsync(context, StatusCodes.Status429TooManyRequests, "There were too many attempts from this address. Try again in a minute.");
            return;
        }
        try
        {
            var (status, fault) = await TryAsync(context, fields[KeyField].ToString());
            if (fault.Length > 0)
            {
                await ShowAsync(context, status, fault);
                return;
            }
        }
        catch (StoreException)
        {
            await ShowAsync(context, StatusCodes.Status503ServiceUnavailable, "The store does not answer, so that keys cannot be checked. Nothing was done.");
            return;
        }
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = "/";
    }

    public void Dispose() => _attempts.Dispose();

    /// <returns>A fault that is empty if a session was opened.</returns>
    /// <exception cref="StoreException"/>
    private async Task<(int Status, string Fault)> TryAsync(HttpContext context, string text)
    {
        var now = time.GetUtcNow();
        var key = ApiKeyToken.TryParse(text, out var token) ? await keys.AuthenticateAsync(token, now, context.RequestAborted) : null;
        if (key is null)
        {
            metrics.Denied("invalid");
            refusals.Count(StatusCode.Unauthenticated);
            return (StatusCodes.Status401Unauthorized, "That is not a key of this server, or it has expired or was revoked.");
        }
        var caller = Principal.Of(key, token!.Hash());
        if (!s_scopes.Any(caller.Has))
        {
            metrics.Denied("scope");
            refusals.Count(StatusCode.PermissionDenied);
            return (StatusCodes.Status403Forbidden, "This key has no scope of operators: monitor, admin, trust or keys.");
        }
        use.Record(key.Id, now);
        // As every decision: recorded first, and not done if it cannot be.
        if (audit.IsEnabled)
            await audit.AppendAsync(AuditLog.Draft(AuditKind.Begun) with { Caller = caller.Name, Method = AuditMethod }, context.RequestAborted);
        sessions.Open(context, caller, key.DisplayName);
        log.SignedIn(caller.Name);
        return (StatusCodes.Status200OK, "");
    }

    private static Task ShowAsync(HttpContext context, int status, string fault) => ConsoleRoutes.WriteAsync(context.Response, status,
        Layout.Lone("Sign in", Markup.Of($"""
            {(fault.Length == 0 ? Markup.Empty : Markup.Of($"""<p class="notice bad" role="alert" id="fault">{fault}</p>"""))}
            <form method="post" action="{Path}" class="form"><div><label for="key">API key</label><input type="password" id="key" name="{KeyField}" required autofocus autocomplete="off" spellcheck="false" aria-describedby="key-hint"><p class="hint" id="key-hint">Of scope monitor to look, or admin, trust or keys to decide. The first one is in <code>admin.key</code> in the data directory; <code>relay keys create</code> makes others.</p></div>
            <div><button>Sign in</button></div></form>
            """)));
}
