namespace Relay.Chaos.Tests;

/// <summary>Waiting for what must happen: as long as a busy machine may need, and no longer.</summary>
internal static class Patience
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    public static CancellationToken Token => new CancellationTokenSource(Limit).Token;
}
