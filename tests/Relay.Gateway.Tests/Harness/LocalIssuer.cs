using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Relay.Gateway.Tests.Harness;

/// <summary>An issuer of access tokens on loopback: OpenID Connect discovery, keys that change, and tokens of every kind.</summary>
public sealed class LocalIssuer : IAsyncDisposable
{
    public const string Audience = "relay";

    private readonly WebApplication _app;
    private (string Id, RSA Key) _key = ("k1", RSA.Create(2048));

    private LocalIssuer()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRouting();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
        _app = builder.Build();
        _app.UseRouting();
        _app.MapGet("/.well-known/openid-configuration", () => Results.Text(JsonSerializer.Serialize(new { issuer = Url, jwks_uri = Url + "/keys" }), "application/json"));
        _app.MapGet("/keys", () =>
        {
            var key = _key.Key.ExportParameters(false);
            return Results.Text(JsonSerializer.Serialize(new
            {
                keys = new[] { new { kty = "RSA", use = "sig", alg = "RS256", kid = _key.Id, n = Base64(key.Modulus!), e = Base64(key.Exponent!) } },
            }), "application/json");
        });
    }

    public string Url => _app.Urls.Single().TrimEnd('/');

    /// <summary>What whoever reads the keys knows: a forger may sign with it as if it were a secret.</summary>
    public string PublicKeyPem => _key.Key.ExportSubjectPublicKeyInfoPem();

    public static async Task<LocalIssuer> StartAsync()
    {
        var issuer = new LocalIssuer();
        await issuer._app.StartAsync();
        return issuer;
    }

    /// <summary>Signs with another key from now on, and publishes only that.</summary>
    public void Rotate() => _key = ("k2", RSA.Create(2048));

    /// <summary>A valid token, but for what is changed.</summary>
    public string Token(Action<Dictionary<string, object?>>? change = null, string algorithm = "RS256", Func<byte[], byte[]>? sign = null, string? keyId = null)
    {
        long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var claims = new Dictionary<string, object?>
        {
            ["iss"] = Url, ["aud"] = Audience, ["sub"] = "support-bot", ["iat"] = now, ["nbf"] = now - 10, ["exp"] = now + 600,
            ["scope"] = "relay:bot openid", ["relay_endpoints"] = "e",
        };
        change?.Invoke(claims);
        var text = Base64(JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, string> { ["alg"] = algorithm, ["typ"] = "JWT", ["kid"] = keyId ?? _key.Id }))
            + "." + Base64(JsonSerializer.SerializeToUtf8Bytes(claims.Where(c => c.Value is not null).ToDictionary()));
        var key = _key.Key;
        sign ??= bytes => key.SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return text + "." + Base64(sign(Encoding.ASCII.GetBytes(text)));
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static string Base64(byte[] bytes) => Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '-').Replace('/', '_');
}
