using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Relay.Actors;
using Relay.Gateway.Api;
using Relay.Gateway.Hosting;
using Relay.Storage;

namespace Relay.Gateway.Auth;

/// <summary>
/// Callers with client certificates (mutual TLS) of an authority that the operator names. A file says which subject alternative name may
/// do what. Both files are read at start. Revocation lists are not looked at: short certificates, or a changed file, take a caller's
/// access away.
/// </summary>
internal sealed class ClientCertificates
{
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2", AlternativeNames = "2.5.29.17";

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Disallow,
    };

    private readonly X509Certificate2Collection _authorities = [];
    private readonly Dictionary<string, Caller> _callers = [];

    /// <exception cref="RelayStartException">A file cannot be used; the message says which and why.</exception>
    public ClientCertificates(IOptions<RelayOptions> options)
    {
        if (options.Value.Certificates is not { AuthorityPath: { } authority, CallersPath: { } callers }) return;
        try
        {
            _authorities.ImportFromPemFile(authority);
            if (_authorities.Count == 0) throw new RelayStartException($"{authority} contains no certificate in PEM.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new RelayStartException($"The authority of client certificates {authority} cannot be read: {e.Message}", e);
        }
        _callers = Read(callers);
        IsEnabled = true;
    }

    public bool IsEnabled { get; }

    /// <summary>Whether a certificate is of the authority, valid now and for clients. The handshake fails otherwise.</summary>
    public bool IsTrusted(X509Certificate2 certificate, X509Chain? sent)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_authorities);
        if (sent is not null) chain.ChainPolicy.ExtraStore.AddRange(sent.ChainElements.Select(e => e.Certificate).ToArray());
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ClientAuthentication));
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        return chain.Build(certificate);
    }

    /// <summary>The caller of a certificate that the handshake has accepted.</summary>
    /// <exception cref="Grpc.Core.RpcException">No caller has its names, or several have; or it has expired since.</exception>
    public Principal Find(X509Certificate2 certificate, DateTimeOffset now)
    {
        var found = IsEnabled && now < certificate.NotAfter
            ? Names(certificate).Select(n => _callers.GetValueOrDefault(n)).OfType<Caller>().Distinct().ToList() : [];
        // Several would leave open which applies.
        if (found is not [var caller])
        {
            throw ApiErrors.Unauthenticated(Reasons.TokenInvalid,
                "The client certificate is not valid here: it has expired, or its subject alternative name is not that of one caller.");
        }
        return new Principal(
            $"certificates/{caller.Name}", caller.Scopes, caller.Endpoints, new DateTimeOffset(certificate.NotAfter.ToUniversalTime()));
    }

    /// <summary>The subject alternative names that name a program or a person: <c>dns:…</c>, <c>uri:…</c>, <c>email:…</c>.</summary>
    private static List<string> Names(X509Certificate2 certificate)
    {
        var names = new List<string>();
        if (certificate.Extensions[AlternativeNames]?.RawData is not { } encoded) return names;
        try
        {
            var sequence = new AsnReader(encoded, AsnEncodingRules.DER).ReadSequence();
            while (sequence.HasData)
            {
                var tag = sequence.PeekTag();
                var kind = tag.TagClass != TagClass.ContextSpecific ? null
                    : tag.TagValue switch { 1 => "email:", 2 => "dns:", 6 => "uri:", _ => null };
                if (kind is null) sequence.ReadEncodedValue();
                else names.Add(kind + sequence.ReadCharacterString(UniversalTagNumber.IA5String, tag));
            }
            return names;
        }
        catch (AsnContentException)
        {
            return [];
        }
    }

    private static Dictionary<string, Caller> Read(string path)
    {
        try
        {
            var file = JsonSerializer.Deserialize<CallersFile>(File.ReadAllBytes(path), s_json) ?? throw new JsonException("It is empty.");
            var callers = new Dictionary<string, Caller>(StringComparer.Ordinal);
            foreach (var entry in file.Callers ?? throw new JsonException("It has no \"callers\"."))
            {
                var name = entry.Name ?? "";
                if (!ResourceNames.IsEndpointId(name)) throw new JsonException($"\"{name}\" must be 1 to 63 of [a-z0-9-].");
                var scopes = (entry.Scopes ?? []).Select(s => KeyScopeNames.Find(s)
                    ?? throw new JsonException($"\"{name}\": {s} is no scope ({string.Join(", ", KeyScopeNames.All)}).")).ToList();
                if (!Principal.IsValid(scopes))
                    throw new JsonException($"\"{name}\": \"scopes\" must have at least one, each once, and not both bot and bridge.");
                var endpoints = entry.Endpoints ?? [];
                bool isAll = endpoints is ["*"];
                if (!isAll && !endpoints.All(EndpointPatterns.IsValid))
                    throw new JsonException($"\"{name}\": \"endpoints\" must be ids, or beginnings of ids with *, or \"*\" for all.");
                var caller = new Caller(name, scopes, isAll ? EndpointPatterns.All : new EndpointPatterns(endpoints));
                foreach (var alternative in entry.Names is { Count: > 0 } names ? names
                    : throw new JsonException($"\"{name}\": \"names\" is required."))
                {
                    if (!callers.TryAdd(alternative, caller)) throw new JsonException($"{alternative} occurs twice.");
                }
            }
            return callers;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new RelayStartException($"The callers with certificates {path} cannot be read: {e.Message}", e);
        }
    }

    private sealed record Caller(string Name, IReadOnlyList<KeyScope> Scopes, EndpointPatterns Endpoints);

    /// <param name="Callers">Who may call.</param>
    private sealed record CallersFile(IReadOnlyList<Entry>? Callers);

    /// <param name="Name">For the audit log.</param>
    /// <param name="Names">Subject alternative names: <c>dns:bot.example.org</c>, <c>uri:spiffe://example.org/bot</c>.</param>
    private sealed record Entry(
        string? Name, IReadOnlyList<string>? Names, IReadOnlyList<string>? Scopes, IReadOnlyList<string>? Endpoints);
}
