namespace Relay.Client;

/// <summary>How a client behaves when things go wrong.</summary>
public sealed record RelayClientOptions
{
    /// <summary>The first wait before something is tried again; it doubles up to <see cref="MaxBackoff"/>, with jitter.</summary>
    public TimeSpan FirstBackoff { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The longest wait before something is tried again.</summary>
    public TimeSpan MaxBackoff { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Time after which a call that keeps failing for passing reasons is given up. Streams reconnect for ever.</summary>
    public TimeSpan GiveUpAfter { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Time that one attempt of a call gets.</summary>
    public TimeSpan AttemptTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Silence after which a stream is taken for dead; the server breaks silence every 15 seconds.</summary>
    public TimeSpan SilenceLimit { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>PEM file of the only certificate authority that the server's certificate may come from; null: the system's.</summary>
    public string? TrustedCertificateFile { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
