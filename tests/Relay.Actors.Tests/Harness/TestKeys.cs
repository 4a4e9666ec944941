using System.Security.Cryptography;
using Otr.Core;

namespace Relay.Actors.Tests.Harness;

/// <summary>Identity keys made by the platform once, handed out as copies: making one takes long.</summary>
internal static class TestKeys
{
    private static readonly Lazy<DSAParameters>[] Made = [.. Enumerable.Range(0, 3).Select(_ => new Lazy<DSAParameters>(() =>
    {
        using var dsa = DSA.Create(1024);
        return dsa.ExportParameters(true);
    }))];

    private static readonly Lazy<DsaPrivateKey> Contact = new(() => Copy(1));

    /// <summary>The contact's, never disposed of: importing one takes long, too.</summary>
    public static DsaPrivateKey Shared => Contact.Value;

    public static DsaPrivateKey Copy(int which)
    {
        var k = Made[which].Value;
        Assert.True(DsaPrivateKey.TryImport(k.P, k.Q, k.G, k.Y, k.X, out var key));
        return key;
    }
}
