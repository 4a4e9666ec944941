using Otr.Core.Crypto;
using Otr.Core.Tests.Kit;
using Otr.Core.Wire;

namespace Otr.Core.Tests.V4;

/// <summary>An Identity or Auth-R message taken apart, to be bent and put together again.</summary>
internal sealed record DakeFields
{
    public const int ProfileLength = 263;

    public byte[] Header { get; init; } = [];
    public byte[] Profile { get; init; } = [];
    public byte[] Ecdh { get; init; } = [];
    /// <summary>Without length.</summary>
    public byte[] Dh { get; init; } = [];
    public byte[] Sigma { get; init; } = [];
    public byte[] FirstEcdh { get; init; } = [];
    public byte[] FirstDh { get; init; } = [];
    public byte[] Trailing { get; init; } = [];

    /// <param name="wire">With a profile without DSA key.</param>
    public static DakeFields Of(ReadOnlyMemory<byte> wire)
    {
        var message = WireText.Decode(wire);
        var reader = new OtrReader(message);
        var header = reader.ReadFixed(11).ToArray();
        byte[] profile = reader.ReadFixed(ProfileLength).ToArray(), ecdh = reader.ReadFixed(57).ToArray(), dh = reader.ReadMpi().ToArray();
        var sigma = header[2] == (byte)MessageType.AuthR ? reader.ReadFixed(342).ToArray() : [];
        byte[] firstEcdh = reader.ReadFixed(57).ToArray(), firstDh = reader.ReadMpi().ToArray();
        Assert.True(reader.IsComplete);
        return new DakeFields
        {
            Header = header, Profile = profile, Ecdh = ecdh, Dh = dh, Sigma = sigma, FirstEcdh = firstEcdh, FirstDh = firstDh,
        };
    }

    public byte[] Message =>
        [.. Header, .. Profile, .. Ecdh, .. Number(Dh), .. Sigma, .. FirstEcdh, .. Number(FirstDh), .. Trailing];

    public byte[] Wire => WireText.Encode(Message);

    private static byte[] Number(byte[] number)
    {
        var writer = new OtrWriter(400);
        writer.Data(number);
        return writer.ToArrayAndDispose();
    }

    /// <summary>D-H values that are no elements of the subgroup, from the vectors; and such as are no MPIs of a D-H value.</summary>
    public static IEnumerable<(string Name, byte[] Value)> BadNumbers() =>
    [
        .. Vector.Of("dh3072", "validity").Where(v => !v.Flag("valid")).Select(v => (v.Note, Minimal(v.Text("value")))),
        ("too long", [1, .. new byte[Group3072.ElementSize]]),
    ];

    private static byte[] Minimal(string hex) =>
        Convert.FromHexString(hex.Length % 2 == 0 ? hex : "0" + hex).AsSpan().TrimStart((byte)0).ToArray();

    /// <summary>POINTs that are refused, from the vectors.</summary>
    public static IEnumerable<(string Name, byte[] Value)> BadPoints() =>
        Vector.Of("ed448-points", "encodings").Where(e => !e.Flag("valid")).Select(e => (e.Note, e.Bytes("enc")));
}
