using System.Diagnostics;
using Relay.Lab.OtrPeer;

namespace Interop.Tests;

/// <summary>The line protocol itself, as every peer speaks it.</summary>
public sealed class LinePeerTests
{
    public static TheoryData<string> Everyone => [Peers.Relay, Peers.Libotr, Peers.Potr];

    [Theory]
    [MemberData(nameof(Everyone))]
    public async Task ABadCommandIsAnErrorAndChangesNothing(string implementation)
    {
        await using var peer = await Peers.StartAsync(implementation, "alice", "bob");
        string[] bad =
        [
            "nonsense", "recv not-base64", "send not-base64", "send AGEA", "smp-start", "smp-start secret", "smp-answer secret",
            "smp-abort", "fragment many", "fragment 10", "fragment -1", "policy v3 nonsense", "loadkey /nonexistent/file",
            "extra-key", "extra-key many", "extra-key 1 nothex", "extra-key 1 00", "instag nothex", "instag 10", "pass later",
        ];
        foreach (var command in bad)
        {
            var reply = await peer.TryAsync(command);
            Assert.False(reply.Ok, $"{implementation} did: {command}");
            Assert.Contains(reply.Events, e => e.Kind == "error");
            Assert.DoesNotContain(reply.Events, e => e.Kind == "wire");
        }
        Assert.Equal("PLAINTEXT", (await peer.StateAsync())["state"]);
    }

    [Theory]
    [MemberData(nameof(Everyone))]
    public async Task NoKeyIsMadeInPlaceOfOneThatCouldNotBeLoaded(string implementation)
    {
        await using var peer = await Peers.StartAsync(implementation, "alice", "bob");
        Assert.False((await peer.TryAsync("loadkey /nonexistent/file")).Ok);
        var reply = await peer.TryAsync("fingerprint");
        Assert.False(reply.Ok);
        Assert.Contains("no key", Assert.Single(reply.Events, e => e.Kind == "error")["text"], StringComparison.Ordinal);
        Assert.DoesNotContain(reply.Events, e => e.Kind == "fingerprint");
        await peer.DoAsync("genkey");
        Assert.Contains((await peer.DoAsync("fingerprint")).Events, e => e.Kind == "fingerprint");
    }

    [Fact]
    public async Task WithoutTheKeyThatCouldNotBeLoadedNothingIsSaidOrRead()
    {
        await using var peer = await Peers.StartAsync(Peers.Relay, "alice", "bob");
        Assert.False((await peer.TryAsync("loadkey /nonexistent/file")).Ok);
        foreach (var command in new[] { "start", "send aGk=", "recv aGk=", "end" })
        {
            var reply = await peer.TryAsync(command);
            Assert.False(reply.Ok, command);
            Assert.Contains(reply.Events, e => e.Kind == "error" && e["text"]!.Contains("no key", StringComparison.Ordinal));
        }
    }

    [Theory]
    [MemberData(nameof(Everyone))]
    public async Task WithoutAnyVersionNothingStarts(string implementation)
    {
        await using var peer = await Peers.StartAsync(implementation, "alice", "bob");
        await peer.DoAsync("policy never");
        Assert.False((await peer.TryAsync("start")).Ok);
        await peer.SendAsync("plain");
        Assert.Equal("plain"u8.ToArray(), peer.Outbox.Single());
    }

    [Theory]
    [InlineData(Peers.Relay)]
    [InlineData(Peers.Libotr)]
    public async Task TheInstanceTagIsKept(string implementation)
    {
        await using var peer = await Peers.StartAsync(implementation, "alice", "bob");
        Assert.Equal("0000abcd", (await peer.DoAsync("instag abcd")).Events.Single()["own"]);
        Assert.Equal("0000abcd", (await peer.DoAsync("instag")).Events.Single()["own"]);
        await peer.ReceiveAsync("?OTRv3?"u8.ToArray());
        Assert.False((await peer.TryAsync("instag bcde")).Ok);
        // D-H Commit, version 3: 00 03 02, then the sender's tag.
        var commit = DataMessageText.Decode(peer.Outbox.Single());
        Assert.Equal("0003020000abcd00000000", Convert.ToHexStringLower(commit.AsSpan(0, 11)));
    }

    [Fact]
    public async Task TheCommandSpeaksItAsAProcess()
    {
        var relay = Path.Combine(AppContext.BaseDirectory, "relay-lab.dll");
        await using var network = new Network(
            await ProcessPeer.StartAsync("alice", "dotnet", relay, "otr-peer", "alice", "bob"),
            await Peers.StartAsync(Peers.Libotr, "bob", "alice"));
        await network.MakePrivateAsync();
        await network.SayAsync(network.A, "Grüße aus dem anderen Prozess");
        await network.SayAsync(network.B, new string('y', 20_000));
        await network.A.DoAsync("quit");
    }

    [Fact]
    public async Task TheLibotrPeerCompilesWithoutAWarning()
    {
        Peers.LibotrOrSkip();
        var directory = Directory.CreateTempSubdirectory("relay-peer-");
        try
        {
            foreach (var name in LibotrPeer.Sources)
            {
                await using var source = typeof(LibotrPeer).Assembly.GetManifestResourceStream(name)!;
                await using var file = File.Create(Path.Combine(directory.FullName, name));
                await source.CopyToAsync(file);
            }
            using var compiler = Process.Start(new ProcessStartInfo("cc",
                ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", LibotrPeer.Sources[0], "-o", "peer", "-lotr", "-lgcrypt"])
            {
                WorkingDirectory = directory.FullName,
                RedirectStandardError = true,
            })!;
            var complaints = await compiler.StandardError.ReadToEndAsync();
            await compiler.WaitForExitAsync();
            Assert.Equal((0, ""), (compiler.ExitCode, complaints));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }
}
