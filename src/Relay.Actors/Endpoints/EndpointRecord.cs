using System.Security.Cryptography;
using Otr.Core;
using Relay.Actors.Conversations;
using Relay.Storage.Sealing;

namespace Relay.Actors.Endpoints;

/// <summary>The sealed row of an endpoint: its view and its private key.</summary>
internal static class EndpointRecord
{
    private const byte Format = 1;

    public static byte[] Seal(Sealer sealer, EndpointView view, DsaPrivateKey key)
    {
        using var row = new RowWriter();
        row.Byte(Format);
        row.Text(view.Network);
        row.Text(view.Account);
        row.UInt32((uint)view.Policy);
        row.UInt32((uint)view.MaxWireBytes);
        row.UInt32(view.InstanceTag);
        row.Int64(view.Created.ToUnixTimeMilliseconds());
        SessionCodec.WriteFingerprint(row, view.Fingerprint);
        var numbers = DsaPublicParameters.Of(key.PublicKey);
        row.Bytes(numbers.P.Span);
        row.Bytes(numbers.Q.Span);
        row.Bytes(numbers.G.Span);
        row.Bytes(numbers.Y.Span);
        var x = key.ExportX();
        row.Bytes(x);
        CryptographicOperations.ZeroMemory(x);
        return sealer.Seal(SealedTable.Endpoint, Row(view.Id), row.Written);
    }

    /// <returns>Null if the row does not open.</returns>
    public static EndpointView? TryOpenView(Sealer sealer, string id, byte[] value) => Open(sealer, id, value, wantKey: false)?.View;

    /// <returns>Null if the row does not open. The key is the caller's.</returns>
    public static (EndpointView View, DsaPrivateKey Key)? TryOpen(Sealer sealer, string id, byte[] value)
        => Open(sealer, id, value, wantKey: true) is { Key: { } key } opened ? (opened.View, key) : null;

    private static (EndpointView View, DsaPrivateKey? Key)? Open(Sealer sealer, string id, byte[] value, bool wantKey)
    {
        if (sealer.TryOpen(SealedTable.Endpoint, Row(id), value) is not { } clear) return null;
        try
        {
            var row = new RowReader(clear);
            if (row.Byte() != Format) return null;
            string network = row.Text(), account = row.Text();
            var policy = (OtrPolicy)row.UInt32();
            int maxWire = (int)row.UInt32();
            uint tag = row.UInt32();
            var created = DateTimeOffset.FromUnixTimeMilliseconds(row.Int64());
            var fingerprint = SessionCodec.ReadFingerprint(ref row);
            ReadOnlySpan<byte> p = row.Bytes(), q = row.Bytes(), g = row.Bytes(), y = row.Bytes(), x = row.Bytes();
            if (!row.IsComplete || fingerprint is null) return null;
            DsaPrivateKey? key = null;
            // The key was validated when it was added, and the seal holds: the primality of p is not tested again.
            if (wantKey && !DsaPrivateKey.TryRestore(p, q, g, y, x, out key)) return null;
            return (new EndpointView(id, network, account, policy, maxWire, fingerprint.Value, tag, created), key);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(clear);
        }
    }

    private static RowKey Row(string id) => new(id, "", 1);
}
