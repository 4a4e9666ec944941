using System.IO.Compression;
using Grpc.Net.Compression;

namespace Grpc.Wire;

/// <summary>The algorithms that one side can read and write, by name.</summary>
internal sealed class CompressionAlgorithms
{
    private readonly Dictionary<string, ICompressionProvider> _byName;

    public CompressionAlgorithms(IEnumerable<ICompressionProvider> providers)
    {
        _byName = new Dictionary<string, ICompressionProvider>(StringComparer.OrdinalIgnoreCase);
        foreach (ICompressionProvider provider in providers)
            _byName[provider.EncodingName] = provider;
        AcceptEncoding = string.Join(',', _byName.Keys.Prepend(GrpcProtocol.Identity));
    }

    /// <summary>gzip only, fast.</summary>
    public static CompressionAlgorithms Default { get; } = new([new GzipCompressionProvider(CompressionLevel.Fastest)]);

    /// <summary>The value of <c>grpc-accept-encoding</c>.</summary>
    public string AcceptEncoding { get; }

    /// <summary>Finds a provider; null, and true, for identity.</summary>
    public bool TryGet(string? name, out ICompressionProvider? provider)
    {
        provider = null;
        return string.IsNullOrEmpty(name) || string.Equals(name, GrpcProtocol.Identity, StringComparison.OrdinalIgnoreCase) || _byName.TryGetValue(name, out provider);
    }

    /// <summary>Whether a peer's <c>grpc-accept-encoding</c> names <paramref name="name"/>.</summary>
    public static bool Accepts(string? acceptEncoding, string name)
    {
        foreach (Range part in acceptEncoding.AsSpan().Split(','))
        {
            if (acceptEncoding.AsSpan()[part].Trim().Equals(name, StringComparison.OrdinalIgnoreCase))
                return true;
        }
        return false;
    }
}
