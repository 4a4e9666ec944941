namespace Relay.Lab.Bench.Server;

/// <summary>
/// How long the hot code is run before it is measured: at least so long, and then until the server's CPU time for a message stands still
/// from one window to the next, but no longer than <see cref="Most"/>.
/// </summary>
internal sealed record WarmUp(TimeSpan Least, TimeSpan Window, TimeSpan Most)
{
    /// <summary>The largest difference of two windows that counts as standing still, as a share.</summary>
    public const double Still = 0.03;
}
