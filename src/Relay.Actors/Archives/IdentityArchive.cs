using System.Security.Cryptography;
using System.Text;
using Otr.Core;
using Relay.Actors.Conversations;
using Relay.Storage.Sealing;

namespace Relay.Actors.Archives;

/// <summary>What one peer's keys are known as.</summary>
internal sealed record ArchivedPeer(string Peer, IReadOnlyList<IdentityView> Identities, Fingerprint? Latest, byte HighestVersion)
{
    public override string ToString() => nameof(ArchivedPeer);
}

/// <summary>The content of one part of an archive, as docs/identity-archives.md describes it.</summary>
/// <param name="Key">In the first part; null in others. The owner disposes of it.</param>
/// <param name="MadeMs">When the archive was made, in Unix ms.</param>
internal sealed record IdentityArchive(
    UInt128 Archive, int Part, bool IsLast, long MadeMs, string Network, string Account, DsaPrivateKey? Key,
    FormerIdentityList FormerIdentities, IReadOnlyList<ArchivedPeer> Peers)
{
    private const byte Format = 1;
    private const int LeastFormerSize = 4 + Fingerprint.DsaSize + 8, LeastPeerSize = 4 + 1 + 4 + 4 + 1;

    public override string ToString() => nameof(IdentityArchive);

    public void Write(RowWriter row)
    {
        row.Byte(Format);
        row.UInt128(Archive);
        row.UInt32((uint)Part);
        row.Bool(IsLast);
        row.Int64(MadeMs);
        row.Text(Network);
        row.Text(Account);
        row.Bool(Key is not null);
        if (Key is not null) WriteKey(row, Key);
        row.UInt32((uint)FormerIdentities.Count);
        foreach (var former in FormerIdentities)
        {
            SessionCodec.WriteFingerprint(row, former.Fingerprint);
            row.Int64(former.Retired.ToUnixTimeMilliseconds());
        }
        row.UInt32((uint)Peers.Count);
        foreach (var peer in Peers) WritePeer(row, peer);
    }

    private static void WriteKey(RowWriter row, DsaPrivateKey key)
    {
        var numbers = DsaPublicParameters.Of(key.PublicKey);
        row.Bytes(numbers.P.Span);
        row.Bytes(numbers.Q.Span);
        row.Bytes(numbers.G.Span);
        row.Bytes(numbers.Y.Span);
        var x = key.ExportX();
        row.Bytes(x);
        CryptographicOperations.ZeroMemory(x);
    }

    public static void WritePeer(RowWriter row, ArchivedPeer peer)
    {
        row.Text(peer.Peer);
        Conversations.Identities.WriteViews(row, peer.Identities);
        SessionCodec.WriteFingerprint(row, peer.Latest);
        row.Byte(peer.HighestVersion);
    }

    /// <summary>
    /// Reads a part. A file that opens can still come from anybody who has a public key: the key is checked as an imported one, and every
    /// bound is held to.
    /// </summary>
    /// <returns>Null if it is not such a content.</returns>
    public static IdentityArchive? TryRead(ReadOnlySpan<byte> content)
    {
        var row = new RowReader(content);
        if (row.Byte() != Format) return null;
        var (archive, part, isLast, made) = (row.UInt128(), row.UInt32(), row.Bool(), row.Int64());
        var (network, account) = (row.Text(), row.Text());
        ReadOnlySpan<byte> p = default, q = default, g = default, y = default, x = default;
        bool hasKey = row.Bool();
        if (hasKey)
        {
            p = row.Bytes();
            q = row.Bytes();
            g = row.Bytes();
            y = row.Bytes();
            x = row.Bytes();
        }
        var former = ReadFormer(ref row);
        var peers = ReadPeers(ref row);
        if (!row.IsComplete || hasKey != (part == 0) || part > int.MaxValue || former is null || peers is null) return null;
        if (!IsAddress(network) || !IsAddress(account) || !peers.TrueForAll(IsValid)) return null;
        DsaPrivateKey? key = null;
        if (hasKey && !DsaPrivateKey.TryImport(p, q, g, y, x, out key)) return null;
        return new IdentityArchive(archive, (int)part, isLast, made, network, account, key, former, peers);
    }

    private static FormerIdentityList? ReadFormer(ref RowReader row)
    {
        int count = row.Count(LeastFormerSize);
        if (count > RelayLimits.MaxFormerIdentities) return null;
        var list = new List<FormerIdentity>();
        for (; count > 0; count--)
        {
            if (SessionCodec.ReadFingerprint(ref row) is not { } fingerprint) return null;
            long retired = row.Int64();
            if (retired < 0 || retired > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()) return null;
            list.Add(new FormerIdentity(fingerprint, DateTimeOffset.FromUnixTimeMilliseconds(retired)));
        }
        return new FormerIdentityList(list);
    }

    private static List<ArchivedPeer>? ReadPeers(ref RowReader row)
    {
        int count = row.Count(LeastPeerSize);
        if (count > RelayLimits.MaxArchivePeers) return null;
        var list = new List<ArchivedPeer>();
        for (; count > 0 && !row.HasFailed; count--)
        {
            list.Add(new ArchivedPeer(
                row.Text(), Conversations.Identities.ReadViews(ref row), SessionCodec.ReadFingerprint(ref row), row.Byte()));
        }
        return list;
    }

    private static bool IsValid(ArchivedPeer peer) => IsAddress(peer.Peer) && peer.HighestVersion <= 4
        && peer.Identities.All(i => Encoding.UTF8.GetByteCount(i.Trust.Label) <= OtrLimits.MaxTrustLabelBytes
            && Encoding.UTF8.GetByteCount(i.Note) <= RelayLimits.MaxIdentityNoteBytes && !i.Note.Any(char.IsControl));

    private static bool IsAddress(string text)
        => Encoding.UTF8.GetByteCount(text) is > 0 and <= RelayLimits.MaxAddressBytes && !text.Any(char.IsControl);
}
