using Relay.Lab.OtrPeer;

namespace Interop.Tests;

/// <summary>The implementations that can be put against each other.</summary>
public static class Peers
{
    /// <summary>Otr.Core; the restarting one goes through a snapshot after every command.</summary>
    public const string Relay = "relay", RestartingRelay = "restarting relay";

    /// <summary>The system's libotr (versions 2 and 3) and python-potr (version 2).</summary>
    public const string Libotr = "libotr", Potr = "potr";

    /// <summary>Otr.Core on either side of libotr.</summary>
    public static TheoryData<string, string> WithLibotr => new()
    {
        { Relay, Libotr }, { Libotr, Relay }, { RestartingRelay, Libotr }, { Libotr, RestartingRelay },
    };

    /// <summary>Otr.Core on either side of everything.</summary>
    public static TheoryData<string, string> Pairs => new()
    {
        { Relay, Libotr }, { Libotr, Relay }, { RestartingRelay, Libotr }, { Libotr, RestartingRelay },
        { Relay, Potr }, { Potr, Relay }, { Relay, Relay },
    };

    private static readonly string Scratch = Path.Combine(AppContext.BaseDirectory, "peers");

    private static readonly Lazy<(string? Program, string Reason)> LibotrProgram = new(() =>
        LibotrPeer.TryBuild(Scratch, out var program, out var reason) ? (program, "") : (null, reason));

    private static readonly Lazy<Task<string>> AliceKey = new(() => MakeKeyAsync("alice")), BobKey = new(() => MakeKeyAsync("bob"));

    private static readonly Lazy<string?> PotrMissing = new(() =>
        !File.Exists("/usr/bin/python3") ? "python3 is missing: apt-get install python3 python3-potr"
        : !Directory.Exists("/usr/lib/python3/dist-packages/potr") ? "python3-potr is missing: apt-get install python3-potr"
        : null);

    /// <summary>Starts a peer, or skips the test where its implementation is not installed.</summary>
    public static async Task<Peer> StartAsync(string implementation, string own, string other)
    {
        switch (implementation)
        {
            case Relay:
                return new InProcessPeer(own);
            case RestartingRelay:
                var restarting = new InProcessPeer(own);
                await restarting.DoAsync("snapshot-restart always");
                return restarting;
            case Libotr:
                return await ProcessPeer.StartAsync(own, LibotrOrSkip(), own, other);
            case Potr:
                PotrOrSkip();
                return await ProcessPeer.StartAsync(own, "/usr/bin/python3", Path.Combine(AppContext.BaseDirectory, "peers", "potr-peer.py"), own, other);
            default:
                throw new ArgumentException($"No such implementation: {implementation}", nameof(implementation));
        }
    }

    /// <summary>The compiled libotr peer; skips the test where it cannot be made.</summary>
    public static string LibotrOrSkip()
    {
        var (program, reason) = LibotrProgram.Value;
        Assert.SkipWhen(program is null, reason);
        return program!;
    }

    /// <summary>Skips the test where python3-potr is missing.</summary>
    public static void PotrOrSkip() => Assert.SkipWhen(PotrMissing.Value is not null, PotrMissing.Value ?? "");

    /// <summary>Two peers, called alice and bob, with a key each, and the network between them.</summary>
    public static async Task<Network> ConnectAsync(string a, string b)
    {
        var alice = await StartAsync(a, "alice", "bob");
        try
        {
            await alice.DoAsync("loadkey " + await AliceKey.Value);
            var bob = await StartAsync(b, "bob", "alice");
            await bob.DoAsync("loadkey " + await BobKey.Value);
            return new Network(alice, bob);
        }
        catch
        {
            await alice.DisposeAsync();
            throw;
        }
    }

    /// <summary>Keys are made once: for some implementations that takes seconds.</summary>
    private static async Task<string> MakeKeyAsync(string account)
    {
        var file = Path.Combine(Directory.CreateDirectory(Scratch).FullName, account + ".key");
        await using var peer = new InProcessPeer(account);
        await peer.DoAsync("genkey " + file);
        return file;
    }
}
