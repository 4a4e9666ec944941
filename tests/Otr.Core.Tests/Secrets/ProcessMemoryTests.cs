using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Otr.Core.Tests.Conversations;
using Otr.Core.Tests.Kit;

namespace Otr.Core.Tests.Secrets;

/// <summary>
/// Looks for keys of ended sessions in the whole memory of this process, after collections that move objects. The test remembers them
/// only changed, so that it does not find its own list.
/// </summary>
public sealed class ProcessMemoryTests
{
    private const int Sessions = 40;
    private const byte Mask = 0x5C;

    [Fact]
    public void Keys_of_ended_sessions_are_nowhere_in_memory()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Reads /proc/self/mem.");
        var parties = new List<Party>();
        var masked = new List<byte[]>();
        for (var i = 0; i < Sessions; i++) Run(parties, masked);
        // Objects move while the sessions are alive, which leaves copies of what is not pinned.
        Collect();
        var live = Found(masked);
        Assert.True(live.Count >= Sessions, "The search does not find the keys of sessions that are there.");
        foreach (var party in parties) party.Conversation.Dispose();
        parties.Clear();
        Collect();
        Overwrite();
        Assert.Empty(Found(masked));
    }

    /// <summary>A session, and copies of its AES keys, masked.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Run(List<Party> parties, List<byte[]> masked)
    {
        // Fresh keys: seeded ones are the same in other tests.
        Party us = new(1, random: SystemRandom.Instance), peer = new(2, random: SystemRandom.Instance);
        Network.Establish(us, peer);
        for (var i = 0; i < 2; i++)
        {
            Network.Run(us, peer, us.Send("ping"));
            Network.Run(peer, us, peer.Send("pong"));
        }
        parties.AddRange([us, peer]);
        // Straight from the state: a snapshot would be a copy of the test's.
        var state = (ConversationState)typeof(OtrConversation)
            .GetField("_state", BindingFlags.NonPublic | BindingFlags.Instance)!.GetValue(us.Conversation)!;
        var raw = state.Best!.Keys!.Sending.Raw;
        foreach (var at in (int[])[0, 16])
        {
            var copy = new byte[16];
            for (var i = 0; i < 16; i++) copy[i] = (byte)(raw[at + i] ^ Mask);
            masked.Add(copy);
        }
    }

    private static void Collect()
    {
        for (var i = 0; i < 3; i++) GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }

    /// <summary>What calls before this one left on this thread's stack is not what the test is about.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static unsafe void Overwrite()
    {
        var bytes = stackalloc byte[512 * 1024];
        new Span<byte>(bytes, 512 * 1024).Fill(1);
    }

    /// <summary>Indices of the masked keys that are somewhere in writable memory, unmasked.</summary>
    private static unsafe HashSet<int> Found(List<byte[]> masked)
    {
        var heads = new Dictionary<ushort, List<int>>();
        for (var i = 0; i < masked.Count; i++)
        {
            var head = (ushort)((masked[i][0] ^ Mask) | (masked[i][1] ^ Mask) << 8);
            if (!heads.TryGetValue(head, out var list)) heads[head] = list = [];
            list.Add(i);
        }
        var isHead = new bool[65536];
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
            for (var at = from; at < to; at += chunk - 16)
            {
                // Not this buffer, which holds what was read before.
                if (at < (long)buffer + chunk && at + chunk > (long)buffer) continue;
                int read;
                try { read = RandomAccess.Read(memory, new Span<byte>(buffer, (int)Math.Min(chunk, to - at)), at); }
                catch (IOException) { break; }
                for (var i = 0; i + 16 <= read; i++)
                {
                    var head = *(ushort*)(buffer + i);
                    if (!isHead[head]) continue;
                    foreach (var key in heads[head]) if (Matches(masked[key], buffer + i)) found.Add(key);
                }
            }
        }
        NativeMemory.Clear(buffer, chunk);
        NativeMemory.Free(buffer);
        return found;
    }

    private static unsafe bool Matches(byte[] masked, byte* bytes)
    {
        for (var i = 0; i < 16; i++)
            if ((masked[i] ^ Mask) != bytes[i]) return false;
        return true;
    }
}
