namespace Relay.Client;

/// <summary>Retries, timeouts and trust of a client.</summary>
public sealed record RelayClientOptions
{
    /// <summary>The wait before the first retry; it doubles up to <see cref="MaxBackoff"/>, with jitter.</summary>
    public TimeSpan FirstBackoff { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The longest wait before a retry.</summary>
    public TimeSpan MaxBackoff { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Time after which a call with transient errors is no longer retried. Streams reconnect without a limit.</summary>
    public TimeSpan GiveUpAfter { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Timeout of one attempt of a call.</summary>
    public TimeSpan AttemptTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Time without a message after which a stream is considered dead; the server sends a message at least every 15 seconds.
    /// </summary>
    public TimeSpan SilenceLimit { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>PEM file of the only certificate authority to trust for the server's certificate; null: the system's authorities.</summary>
    public string? TrustedCertificateFile { get; init; }

    /// <summary>The clock for timeouts and deadlines.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
