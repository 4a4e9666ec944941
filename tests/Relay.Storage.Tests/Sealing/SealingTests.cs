using System.Security.Cryptography;
using System.Text;
using Relay.Storage.Sealing;

namespace Relay.Storage.Tests.Sealing;

public class SealingTests
{
    /// <summary>The test vectors of C2SP XAES-256-GCM.</summary>
    [Theory]
    [InlineData(0x01, "", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271")]
    [InlineData(0x03, "c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d")]
    public void Xaes_256_gcm_known_answers(byte key, string associated, string sealedHex)
    {
        using var xaes = new Xaes256Gcm(Enumerable.Repeat(key, 32).ToArray());
        byte[] nonce = "ABCDEFGHIJKLMNOPQRSTUVWX"u8.ToArray(), clear = "XAES-256-GCM"u8.ToArray(), output = new byte[clear.Length + 16];
        xaes.Seal(nonce, clear, Encoding.ASCII.GetBytes(associated), output);
        Assert.Equal(sealedHex, Convert.ToHexStringLower(output));
        var opened = new byte[clear.Length];
        Assert.True(xaes.TryOpen(nonce, output, Encoding.ASCII.GetBytes(associated), opened));
        Assert.Equal(clear, opened);
    }

    [Fact]
    public void A_sealer_that_was_closed_refuses_to_seal()
    {
        using var key = new SealingKey(new byte[32]);
        var sealer = new Sealer(key, RandomNumberGenerator.Fill);
        sealer.Dispose();
        Assert.Throws<ObjectDisposedException>(() => sealer.Seal(SealedTable.Conversation, new RowKey("endpoint", "conversation", 7), "secret"u8));
    }

    [Fact]
    public void A_value_opens_only_where_it_was_sealed_and_whole()
    {
        using var key = new SealingKey(new byte[32]);
        using var sealer = new Sealer(key, RandomNumberGenerator.Fill);
        var row = new RowKey("endpoint", "conversation", 7);
        var value = sealer.Seal(SealedTable.Conversation, row, "secret"u8);
        Assert.Equal("secret"u8.ToArray(), sealer.TryOpen(SealedTable.Conversation, row, value));

        Assert.Null(sealer.TryOpen(SealedTable.Seen, row, value));
        Assert.Null(sealer.TryOpen(SealedTable.Conversation, row with { Version = 6 }, value));
        Assert.Null(sealer.TryOpen(SealedTable.Conversation, row with { Id = "other" }, value));
        // The same characters, cut elsewhere.
        Assert.Null(sealer.TryOpen(SealedTable.Conversation, row with { Owner = "endpointc", Id = "onversation" }, value));
        for (int i = 0; i < value.Length; i++)
        {
            var damaged = value.ToArray();
            damaged[i] ^= 0x10;
            Assert.Null(sealer.TryOpen(SealedTable.Conversation, row, damaged));
            Assert.Null(sealer.TryOpen(SealedTable.Conversation, row, value.AsSpan(0, i)));
        }

        var other = new byte[32];
        other[31] = 1;
        using var otherKey = new SealingKey(other);
        using var otherSealer = new Sealer(otherKey, RandomNumberGenerator.Fill);
        Assert.Null(otherSealer.TryOpen(SealedTable.Conversation, row, value));
        // Never the same bytes twice.
        Assert.NotEqual(value, sealer.Seal(SealedTable.Conversation, row, "secret"u8));
    }

    /// <summary>More writers than keys are kept: each value opens, whichever key was used last, and on many threads.</summary>
    [Fact]
    public void Values_of_many_writers_open_in_any_order()
    {
        using var key = new SealingKey(new byte[32]);
        using var reader = new Sealer(key, RandomNumberGenerator.Fill);
        var values = new List<(RowKey Row, byte[] Sealed)>();
        for (ulong i = 0; i < 20; i++)
        {
            using var writer = new Sealer(key, RandomNumberGenerator.Fill);
            for (ulong j = 0; j < 3; j++)
            {
                var row = new RowKey("e", "c", 100 * i + j);
                values.Add((row, writer.Seal(SealedTable.Outbox, row, BitConverter.GetBytes(row.Version))));
            }
        }
        Parallel.For(0, 8, seed =>
        {
            var order = values.ToArray();
            new Random(seed).Shuffle(order);
            foreach (var (row, value) in order)
            {
                Assert.Equal(row.Version, BitConverter.ToUInt64(reader.TryOpen(SealedTable.Outbox, row, value)!));
                // The same key again, and a value that fails under it.
                byte[] damaged = [.. value[..^1], (byte)(value[^1] ^ 1)];
                Assert.Null(reader.TryOpen(SealedTable.Outbox, row, damaged));
                Assert.True(reader.Opens(SealedTable.Outbox, row, value));
            }
        });
        reader.Dispose();
        Assert.Throws<ObjectDisposedException>(() => reader.TryOpen(SealedTable.Outbox, values[0].Row, values[0].Sealed));
    }

    /// <summary>RFC 4648 base32 of a known value, by Python: base64.b32encode(bytes(range(16))).lower().rstrip(b"=").</summary>
    [Fact]
    public void Ids_are_base32_and_depend_on_every_part()
    {
        Assert.Equal("aaaqeayeaudaocajbifqydiob4", KeyedIds.Base32(System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(Enumerable.Range(0, 16).Select(i => (byte)i).ToArray())));
        using var ids = new KeyedIds(new byte[32]);
        using var others = new KeyedIds([1, .. new byte[31]]);
        var id = ids.Conversation("endpoint", "peer");
        Assert.True(KeyedIds.IsId(id));
        Assert.Equal(id, ids.Conversation("endpoint", "peer"));
        Assert.Equal(5, new[] { id, ids.Conversation("endpointp", "eer"), ids.Conversation("endpoint", "Peer"), ids.Conversation("", "endpointpeer"), others.Conversation("endpoint", "peer") }.Distinct().Count());
        Assert.False(KeyedIds.IsId(id[1..]));
        Assert.False(KeyedIds.IsId(id[1..] + "1"));
    }
}
