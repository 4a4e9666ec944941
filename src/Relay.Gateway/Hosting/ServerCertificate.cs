using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Relay.Gateway.Auth;
using Relay.Gateway.Telemetry;

namespace Relay.Gateway.Hosting;

/// <summary>
/// The server's TLS certificate, reloaded when its files have changed. New connections use the new certificate; existing ones
/// are not affected. If certificate and key do not match, as halfway through their replacement, the previous one stays in use.
/// </summary>
internal sealed class ServerCertificate : IDisposable
{
    private readonly string? _path;
    private readonly string? _keyPath;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Lock _lock = new();
    private volatile Loaded? _current;
    private byte[] _failed = [];
    private long _lastLook;

    /// <param name="configuration">Names the files; if it does not, the server has no TLS.</param>
    public ServerCertificate(IConfiguration configuration, TimeProvider time, ILogger<ServerCertificate> log)
    {
        _path = configuration[RelaySettings.CertificatePath] is { Length: > 0 } path ? path : null;
        _keyPath = KeyPath(configuration[RelaySettings.CertificateKeyPath]);
        _time = time;
        _log = log;
        if (_path is null) return;
        _lastLook = time.GetTimestamp();
        Take(Read(_path, _keyPath));
        if (PrivateFile.IsOpenToEverybody(_keyPath ?? _path)) log.KeyIsOpen(_keyPath ?? _path);
    }

    /// <summary>The certificate for the next handshake.</summary>
    /// <exception cref="InvalidOperationException">No certificate is configured.</exception>
    public SslStreamCertificateContext Current
    {
        get
        {
            if (_time.GetElapsedTime(Volatile.Read(ref _lastLook)) >= GatewayLimits.CertificateRecheck) Look();
            return _current?.Context ?? throw new InvalidOperationException("TLS without a certificate.");
        }
    }

    /// <summary>The certificate's end; null: the server has no TLS.</summary>
    public DateTimeOffset? NotAfter => _current is { } loaded ? new DateTimeOffset(loaded.Context.TargetCertificate.NotAfter) : null;

    /// <summary>Describes what is wrong with the files; null if they are usable.</summary>
    public static string? Fault(string path, string? keyPath)
    {
        try
        {
            Load(Read(path, KeyPath(keyPath))).Dispose();
            return null;
        }
        catch (Exception e) when (IsOfFiles(e))
        {
            return $"The certificate {path} cannot be used: {e.Message}";
        }
    }

    public void Dispose() => _current?.Dispose();

    private void Look()
    {
        lock (_lock)
        {
            if (_time.GetElapsedTime(_lastLook) < GatewayLimits.CertificateRecheck) return;
            Volatile.Write(ref _lastLook, _time.GetTimestamp());
            try
            {
                var files = Read(_path!, _keyPath);
                if (!files.Digest.AsSpan().SequenceEqual(_current!.Digest) && !files.Digest.AsSpan().SequenceEqual(_failed)) Take(files);
            }
            catch (Exception e) when (IsOfFiles(e))
            {
                // The files may be in the middle of a replacement; the next check reads them again.
                _log.CertificateNotRead(_path!, e.Message);
            }
        }
    }

    private void Take(Files files)
    {
        try
        {
            // The previous certificate is not disposed of: handshakes may still use it.
            _current = Load(files);
        }
        catch (Exception e) when (IsOfFiles(e) && _current is not null)
        {
            // Remembered, so that each content of the files is logged once.
            _failed = files.Digest;
            _log.CertificateNotRead(_path!, e.Message);
            return;
        }
        var ends = new DateTimeOffset(_current.Context.TargetCertificate.NotAfter);
        if (ends - _time.GetUtcNow() < GatewayLimits.CertificateWarning) _log.CertificateEnds(_path!, ends);
        else _log.CertificateLoaded(_path!, ends);
    }

    private static Loaded Load(Files files)
    {
        using var pem = X509Certificate2.CreateFromPem(files.Chain, files.Key);
        // A key loaded from PEM is ephemeral, which some platforms do not accept for a TLS server.
        var certificate = X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
        // The file's other certificates are sent as intermediates, because clients know only the root.
        var chain = new X509Certificate2Collection();
        chain.ImportFromPem(files.Chain);
        return new Loaded(SslStreamCertificateContext.Create(certificate, chain, offline: true), files.Digest);
    }

    private static Files Read(string path, string? keyPath)
    {
        var chain = File.ReadAllText(path);
        var key = keyPath is null ? chain : File.ReadAllText(keyPath);
        return new Files(chain, key, SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(chain + "\0" + key)));
    }

    private static string? KeyPath(string? path) => path is { Length: > 0 } ? path : null;

    private static bool IsOfFiles(Exception e) =>
        e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException;

    private sealed record Files(string Chain, string Key, byte[] Digest);

    private sealed record Loaded(SslStreamCertificateContext Context, byte[] Digest) : IDisposable
    {
        public void Dispose() => Context.TargetCertificate.Dispose();
    }
}
