using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Otr.Core.Tests.Secrets;

/// <summary>
/// Looks for secrets in the whole writable memory of this process. It remembers their beginnings only changed, so that it does not find
/// its own list.
/// </summary>
internal sealed class MemorySearch
{
    /// <summary>Bytes of a secret that are looked for.</summary>
    private const int Length = 16;
    private const byte Mask = 0x5C;

    private readonly List<(string Kind, byte[] Masked)> _secrets = [];

    /// <summary>Remembers a secret, by its first 16 bytes.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public void Add(string kind, ReadOnlySpan<byte> secret)
    {
        var masked = new byte[Length];
        for (var i = 0; i < Length; i++) masked[i] = (byte)(secret[i] ^ Mask);
        _secrets.Add((kind, masked));
    }

    /// <summary>The secrets that are remembered, by kind and number.</summary>
    public SortedDictionary<string, int> All() => Count(Enumerable.Range(0, _secrets.Count));

    /// <summary>
    /// The secrets that are somewhere in memory, by kind and number, after collections that move objects: what was not pinned has then left
    /// copies behind.
    /// </summary>
    public SortedDictionary<string, int> Find()
    {
        // Not aggressive: that gives memory back to the system, with the copies in it.
        for (var i = 0; i < 3; i++) GC.Collect(2, GCCollectionMode.Forced, blocking: true, compacting: true);
        Overwrite();
        return Count(Found());
    }

    private SortedDictionary<string, int> Count(IEnumerable<int> secrets) =>
        new(secrets.GroupBy(s => _secrets[s].Kind).ToDictionary(g => g.Key, g => g.Count()));

    /// <summary>What calls before this one left on this thread's stack is not what the tests are about.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static unsafe void Overwrite()
    {
        const int depth = 512 * 1024;
        var bytes = stackalloc byte[depth];
        new Span<byte>(bytes, depth).Fill(1);
    }

    private unsafe HashSet<int> Found()
    {
        var heads = new Dictionary<ushort, List<int>>();
        for (var i = 0; i < _secrets.Count; i++)
        {
            var masked = _secrets[i].Masked;
            var head = (ushort)((masked[0] ^ Mask) | (masked[1] ^ Mask) << 8);
            if (!heads.TryGetValue(head, out var list)) heads[head] = list = [];
            list.Add(i);
        }
        var isHead = new bool[ushort.MaxValue + 1];
        foreach (var head in heads.Keys) isHead[head] = true;
        var found = new HashSet<int>();
        const int chunk = 1 << 20;
        var buffer = (byte*)NativeMemory.AllocZeroed(chunk);
        using var memory = File.OpenHandle("/proc/self/mem");
        foreach (var line in File.ReadAllLines("/proc/self/maps"))
        {
            var parts = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (!parts[1].StartsWith("rw", StringComparison.Ordinal)) continue;
            var range = parts[0].Split('-');
            var from = long.Parse(range[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            var to = long.Parse(range[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            for (var at = from; at < to; at += chunk - Length)
            {
                // Not this buffer, which holds what was read before.
                if (at < (long)buffer + chunk && at + chunk > (long)buffer) continue;
                int read;
                try { read = RandomAccess.Read(memory, new Span<byte>(buffer, (int)Math.Min(chunk, to - at)), at); }
                catch (IOException) { break; }
                for (var i = 0; i + Length <= read; i++)
                {
                    var head = *(ushort*)(buffer + i);
                    if (!isHead[head]) continue;
                    foreach (var secret in heads[head]) if (Matches(_secrets[secret].Masked, buffer + i)) found.Add(secret);
                }
            }
        }
        CryptographicOperations.ZeroMemory(new Span<byte>(buffer, chunk));
        NativeMemory.Free(buffer);
        return found;
    }

    private static unsafe bool Matches(byte[] masked, byte* bytes)
    {
        for (var i = 0; i < Length; i++)
            if ((masked[i] ^ Mask) != bytes[i]) return false;
        return true;
    }
}
