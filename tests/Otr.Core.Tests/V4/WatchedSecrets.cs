using Otr.Core.Crypto;

namespace Otr.Core.Tests.V4;

/// <summary>Collects the memory of every secret that this thread makes, so that a test sees what was wiped.</summary>
internal sealed class WatchedSecrets : IDisposable
{
    public List<byte[]> Made { get; } = SecretPool.Watched = [];

    /// <summary>Whether some memory of a secret contains these bytes.</summary>
    public bool Holds(ReadOnlySpan<byte> secret)
    {
        foreach (var made in Made)
        {
            if (made.AsSpan().IndexOf(secret) >= 0) return true;
        }
        return false;
    }

    public void Dispose() => SecretPool.Watched = null;
}
