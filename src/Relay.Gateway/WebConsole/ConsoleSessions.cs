using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Otr.Core;
using Relay.Gateway.Auth;
using Relay.Gateway.Hosting;
using Relay.Storage;

namespace Relay.Gateway.WebConsole;

/// <summary>
/// The sessions of this node's console. A cookie carries 32 random bytes and no more; the server keeps their SHA-256. Thread-safe.
/// </summary>
internal sealed class ConsoleSessions(IApiKeyStore keys, IRandomSource random, TimeProvider time) : IDisposable
{
    /// <summary>The prefix makes browsers accept the cookie for this host and over a secure connection only.</summary>
    public const string CookieName = "__Host-relay";

    private const int SecretBytes = 32;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, ConsoleSession> _open = new(StringComparer.Ordinal);

    /// <summary>Opens a session, and gives the browser its cookie.</summary>
    /// <param name="label">The key's name for people.</param>
    public ConsoleSession Open(HttpContext context, Principal caller, string label)
    {
        var (secret, formKey) = (new byte[SecretBytes], new byte[SecretBytes]);
        random.Fill(secret);
        random.Fill(formKey);
        var now = time.GetUtcNow();
        var session = new ConsoleSession(caller, label, formKey, now);
        var cookie = Convert.ToHexStringLower(secret);
        CryptographicOperations.ZeroMemory(secret);
        lock (_lock)
        {
            foreach (var (id, old) in _open.Where(p => !p.Value.IsOpen(now)).ToList()) EndLocked(id, old);
            if (_open.Count >= GatewayLimits.MaxConsoleSessions)
            {
                var (id, idlest) = _open.MinBy(p => p.Value.LastSeen);
                EndLocked(id, idlest);
            }
            _open.Add(IdOf(cookie), session);
        }
        // In the background: it ends with the session.
        _ = EndWhenInvalidAsync(session);
        context.Response.Cookies.Append(CookieName, cookie, new CookieOptions
        {
            HttpOnly = true, Secure = true, SameSite = SameSiteMode.Strict, Path = "/", MaxAge = GatewayLimits.ConsoleSessionLife,
        });
        return session;
    }

    /// <summary>The session of a request; false if it has none that is open.</summary>
    public bool TryFind(HttpRequest request, [NotNullWhen(true)] out ConsoleSession? session)
    {
        session = null;
        if (request.Cookies[CookieName] is not { Length: 2 * SecretBytes } cookie) return false;
        var now = time.GetUtcNow();
        lock (_lock)
        {
            if (!_open.TryGetValue(IdOf(cookie), out var found)) return false;
            if (!found.IsOpen(now))
            {
                EndLocked(IdOf(cookie), found);
                return false;
            }
            found.Seen(now);
            session = found;
            return true;
        }
    }

    public void End(HttpContext context, ConsoleSession session)
    {
        session.End();
        context.Response.Cookies.Delete(CookieName, new CookieOptions { Secure = true, HttpOnly = true, SameSite = SameSiteMode.Strict, Path = "/" });
    }

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var (id, session) in _open.ToList()) EndLocked(id, session);
        }
    }

    private void EndLocked(string id, ConsoleSession session)
    {
        session.End();
        _open.Remove(id);
    }

    /// <summary>The table is searched by the hash, so that the time of a search tells nothing about a cookie.</summary>
    private static string IdOf(string cookie) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(cookie)));

    private async Task EndWhenInvalidAsync(ConsoleSession session)
    {
        try
        {
            await session.Caller.WatchAsync(keys, time, session.Ended);
        }
        catch (Exception e) when (e is RpcException or StoreException or OperationCanceledException)
        {
            // Revoked or expired; or the keys are too old to decide by, and then nobody is let in.
        }
        session.End();
    }
}
