using System.Security.Cryptography;
using Otr.Core;
using Relay.Actors.Conversations;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Endpoints;

/// <summary>The sealed row of an endpoint: its view and its private key.</summary>
internal static class EndpointRecord
{
    private const byte Format = 5;
    private const int LeastFormerSize = 4 + Fingerprint.DsaSize + 8;

    public static byte[] Seal(Sealer sealer, EndpointView view, DsaPrivateKey key)
    {
        using var row = new RowWriter();
        row.Byte(Format);
        row.Text(view.Network);
        row.Text(view.Account);
        EndpointSettingsCodec.Write(row, view.Settings);
        row.UInt32(view.InstanceTag);
        row.Int64(view.Created.ToUnixTimeMilliseconds());
        row.Int64(view.Updated.ToUnixTimeMilliseconds());
        WriteTime(row, view.Expires);
        WriteTime(row, view.Deleted);
        WriteTime(row, view.Purges);
        SessionCodec.WriteFingerprint(row, view.Fingerprint);
        row.UInt32((uint)view.FormerIdentities.Count);
        foreach (var former in view.FormerIdentities)
        {
            SessionCodec.WriteFingerprint(row, former.Fingerprint);
            row.Int64(former.Retired.ToUnixTimeMilliseconds());
        }
        row.UInt128(view.LastRotation);
        var numbers = DsaPublicParameters.Of(key.PublicKey);
        row.Bytes(numbers.P.Span);
        row.Bytes(numbers.Q.Span);
        row.Bytes(numbers.G.Span);
        row.Bytes(numbers.Y.Span);
        var x = key.ExportX();
        row.Bytes(x);
        CryptographicOperations.ZeroMemory(x);
        return sealer.Seal(SealedTable.Endpoint, Row(view.Id, view.Revision), row.Written);
    }

    /// <returns>Null if the row does not open.</returns>
    public static EndpointView? TryOpenView(Sealer sealer, EndpointRow row) => Open(sealer, row, wantKey: false)?.View;

    /// <returns>Null if the row does not open. The key is the caller's.</returns>
    public static (EndpointView View, DsaPrivateKey Key)? TryOpen(Sealer sealer, EndpointRow row)
        => Open(sealer, row, wantKey: true) is { Key: { } key } opened ? (opened.View, key) : null;

    private static (EndpointView View, DsaPrivateKey? Key)? Open(Sealer sealer, EndpointRow stored, bool wantKey)
    {
        if (sealer.TryOpen(SealedTable.Endpoint, Row(stored.Id, stored.Revision), stored.Sealed) is not { } clear) return null;
        try
        {
            return Read(clear, stored.Id, stored.Revision, wantKey);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(clear);
        }
    }

    /// <summary>Reads the content of a row.</summary>
    /// <returns>Null if it is not that of an endpoint. The key is the caller's.</returns>
    public static (EndpointView View, DsaPrivateKey? Key)? Read(ReadOnlySpan<byte> clear, string id, ulong revision, bool wantKey)
    {
        var row = new RowReader(clear);
        if (row.Byte() != Format) return null;
        string network = row.Text(), account = row.Text();
        var settings = EndpointSettingsCodec.Read(ref row);
        uint tag = row.UInt32();
        var created = DateTimeOffset.FromUnixTimeMilliseconds(row.Int64());
        var updated = DateTimeOffset.FromUnixTimeMilliseconds(row.Int64());
        DateTimeOffset? expires = ReadTime(ref row), deleted = ReadTime(ref row), purges = ReadTime(ref row);
        var fingerprint = SessionCodec.ReadFingerprint(ref row);
        var former = ReadFormer(ref row);
        var lastRotation = row.UInt128();
        ReadOnlySpan<byte> p = row.Bytes(), q = row.Bytes(), g = row.Bytes(), y = row.Bytes(), x = row.Bytes();
        if (!row.IsComplete || fingerprint is null) return null;
        DsaPrivateKey? key = null;
        // The key was validated when it was added, and the seal holds: the primality of p is not tested again.
        if (wantKey && !DsaPrivateKey.TryRestore(p, q, g, y, x, out key)) return null;
        var view = new EndpointView(id, network, account, settings, fingerprint.Value, tag, created, updated, revision)
        {
            Expires = expires, Deleted = deleted, Purges = purges, FormerIdentities = former, LastRotation = lastRotation,
        };
        return (view, key);
    }

    private static FormerIdentityList ReadFormer(ref RowReader row)
    {
        var list = new FormerIdentity[row.Count(LeastFormerSize)];
        for (int i = 0; i < list.Length; i++)
        {
            if (SessionCodec.ReadFingerprint(ref row) is not { } fingerprint)
            {
                row.Fail();
                break;
            }
            list[i] = new FormerIdentity(fingerprint, DateTimeOffset.FromUnixTimeMilliseconds(row.Int64()));
        }
        return list.Length == 0 ? FormerIdentityList.Empty : new FormerIdentityList(list);
    }

    private static void WriteTime(RowWriter row, DateTimeOffset? time)
    {
        row.Bool(time is not null);
        if (time is { } known) row.Int64(known.ToUnixTimeMilliseconds());
    }

    private static DateTimeOffset? ReadTime(ref RowReader row)
        => row.Bool() ? DateTimeOffset.FromUnixTimeMilliseconds(row.Int64()) : null;

    public static RowKey Row(string id, ulong revision) => new(id, "", revision);
}
