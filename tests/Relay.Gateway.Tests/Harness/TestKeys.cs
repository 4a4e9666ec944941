using System.Security.Cryptography;
using Google.Protobuf;
using Otr.Core;

namespace Relay.Gateway.Tests.Harness;

/// <summary>Identity keys made by the platform's DSA, once for all tests.</summary>
public static class TestKeys
{
    private static readonly Lazy<DSAParameters> s_endpoint = new(Make);
    private static readonly Lazy<DSAParameters> s_contact = new(Make);

    public static Relay.V1.DsaKey Endpoint => new()
    {
        P = ByteString.CopyFrom(s_endpoint.Value.P), Q = ByteString.CopyFrom(s_endpoint.Value.Q), G = ByteString.CopyFrom(s_endpoint.Value.G),
        Y = ByteString.CopyFrom(s_endpoint.Value.Y), X = ByteString.CopyFrom(s_endpoint.Value.X),
    };

    /// <summary>SHA-1 over the four public numbers, each with its length, computed here.</summary>
    public static string EndpointFingerprint => Fingerprint(s_endpoint.Value);

    public static string ContactFingerprint => Fingerprint(s_contact.Value);

    public static DsaPrivateKey NewContactKey()
    {
        var k = s_contact.Value;
        return DsaPrivateKey.TryImport(k.P, k.Q, k.G, k.Y, k.X, out var key) ? key : throw new InvalidOperationException("The platform made an unsound key.");
    }

    private static DSAParameters Make()
    {
        using var dsa = DSA.Create(1024);
        return dsa.ExportParameters(includePrivateParameters: true);
    }

    private static string Fingerprint(DSAParameters k)
    {
        using var bytes = new MemoryStream();
        foreach (var number in new[] { k.P!, k.Q!, k.G!, k.Y! })
        {
            var minimal = number.SkipWhile(b => b == 0).ToArray();
            bytes.Write([(byte)(minimal.Length >> 24), (byte)(minimal.Length >> 16), (byte)(minimal.Length >> 8), (byte)minimal.Length]);
            bytes.Write(minimal);
        }
        return Convert.ToHexStringLower(SHA1.HashData(bytes.ToArray()));
    }
}
