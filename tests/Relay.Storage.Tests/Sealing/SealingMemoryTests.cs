using System.Buffers.Text;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Otr.Core.Tests.Secrets;
using Relay.Storage.Sealing;

namespace Relay.Storage.Tests.Sealing;

/// <summary>Tests that search the memory of the process, in which no other test runs meanwhile.</summary>
[CollectionDefinition(nameof(ProcessMemory), DisableParallelization = true)]
public sealed class ProcessMemory;

/// <summary>Sealing keys, and what is derived from them, are nowhere in this process's memory once they are disposed of.</summary>
[Collection(nameof(ProcessMemory))]
public sealed class SealingMemoryTests
{
    private const int Keys = 20;

    private readonly MemorySearch _masters = new(), _derived = new(), _ids = new();
    private readonly List<IDisposable> _open = [];

    [Fact]
    public void Keys_that_are_disposed_of_are_nowhere_in_memory()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Reads /proc/self/mem.");
        for (var i = 0; i < Keys; i++)
        {
            Use();
            Scatter();
        }
        GC.Collect(0, GCCollectionMode.Forced, blocking: true, compacting: true);
        // Objects have moved, and what is in use is found.
        Assert.Equal(_masters.All(), _masters.Find());
        Assert.Equal(_ids.All(), _ids.Find());
        Assert.NotEmpty(_derived.Find());
        foreach (var key in _open) key.Dispose();
        _open.Clear();
        Assert.Empty(_masters.Find());
        Assert.Empty(_ids.Find());
        Assert.Empty(_derived.Find());
    }

    /// <summary>Garbage beside what stays, so that collections have something to close up.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Scatter()
    {
        for (var i = 0; i < 1000; i++) GC.KeepAlive(new byte[i % 100]);
    }

    [Fact]
    public void A_key_that_was_written_and_read_is_nowhere_in_memory_either()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Reads /proc/self/mem.");
        var directory = Directory.CreateTempSubdirectory("relay-test-").FullName;
        try
        {
            for (var i = 0; i < Keys; i++)
            {
                WriteAndRead(Path.Combine(directory, $"{i}.key"));
                Scatter();
            }
            GC.Collect(0, GCCollectionMode.Forced, blocking: true, compacting: true);
            Assert.Empty(_masters.Find());
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void WriteAndRead(string path)
    {
        using (SealingKey.Create(path, bytes =>
        {
            RandomNumberGenerator.Fill(bytes);
            _masters.Add("made", bytes);
            Span<byte> text = stackalloc byte[Base64.GetMaxEncodedToUtf8Length(bytes.Length)];
            Base64.EncodeToUtf8(bytes, text, out _, out _);
            _masters.Add("text of its file", text);
            CryptographicOperations.ZeroMemory(text);
        })) { }
        using (SealingKey.Read(path)) { }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Use()
    {
        var bytes = GC.AllocateArray<byte>(SealingKey.Size, pinned: true);
        RandomNumberGenerator.Fill(bytes);
        _masters.Add("sealing key", bytes);
        var master = new SealingKey(bytes);
        // By HKDF of the base library: what every table's cipher has for its key.
        Span<byte> derived = stackalloc byte[Xaes256Gcm.KeySize];
        foreach (var table in Enum.GetValues<SealedTable>())
        {
            HKDF.DeriveKey(HashAlgorithmName.SHA256, bytes, derived, salt: [], info: Encoding.ASCII.GetBytes("relay/v1/seal/" + table.ToString().ToLowerInvariant()));
            _derived.Add(table.ToString(), derived);
        }
        CryptographicOperations.ZeroMemory(derived);
        RandomNumberGenerator.Fill(bytes);
        _ids.Add("key of ids", bytes);
        var ids = new KeyedIds(bytes);
        CryptographicOperations.ZeroMemory(bytes);
        var sealer = new Sealer(master, RandomNumberGenerator.Fill);
        foreach (var table in Enum.GetValues<SealedTable>())
        {
            var row = new RowKey("endpoint", ids.Conversation("endpoint", "peer"), 7);
            for (var i = 0; i < 3; i++) Assert.NotNull(sealer.TryOpen(table, row, sealer.Seal(table, row, "text"u8)));
        }
        _open.AddRange([sealer, ids, master]);
    }
}
