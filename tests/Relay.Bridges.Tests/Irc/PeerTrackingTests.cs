using Relay.Bridges.Irc;

namespace Relay.Bridges.Tests.Irc;

public sealed class PeerTrackingTests
{
    private readonly PeerTracking _peers = new(CaseMapping.Rfc1459, byAccount: false);

    [Fact]
    public void APeerIsItsFoldedNickAndIsAddressedAsItLastWroteItself()
    {
        Assert.Equal("bob{", _peers.Spoke("BOB[", null, isOtr: false));
        AssertGoes("BOB[", "bob{");
        _peers.Spoke("Bob[", null, isOtr: false);
        AssertGoes("Bob[", "bob{");
        AssertGoes("Bob[", "bOB{");
    }

    [Fact]
    public void APeerThatHasNotSpokenIsAddressedByItsId() => AssertGoes("Carol", "Carol");

    [Theory]
    [InlineData("#channel")]
    [InlineData("&local")]
    [InlineData("@#ops")]
    [InlineData("$*.example")]
    [InlineData("a,b")]
    [InlineData("a b")]
    [InlineData("a\nQUIT")]
    [InlineData(":a")]
    [InlineData("user@server")]
    [InlineData("")]
    public void WhatIsNoNickIsNotAddressed(string id) =>
        Assert.Equal(PeerObstacle.Gone, _peers.Target(id, WireKind.Request, out _));

    [Fact]
    public void AConversationGoesWithItsPeersNickAndTheOldNameStartsEmpty()
    {
        _peers.Spoke("bob", null, isOtr: true);
        _peers.Renamed("bob", "robert");

        AssertGoes("robert", "bob");
        Assert.Equal("bob", _peers.Spoke("robert", null, isOtr: true));
        Assert.Equal("bob/2", _peers.Spoke("bob", null, isOtr: false));
        AssertGoes("bob", "bob/2");
        AssertGoes("robert", "bob");
    }

    [Fact]
    public void ANickThatHadAConversationIsNotMerged()
    {
        _peers.Spoke("alice", null, isOtr: true);
        _peers.Spoke("mallory", null, isOtr: true);
        _peers.Renamed("mallory", "alice");

        Assert.Equal("mallory", _peers.Spoke("alice", null, isOtr: false));
        foreach (var kind in Enum.GetValues<WireKind>()) Assert.Equal(PeerObstacle.Gone, _peers.Target("alice", kind, out _));
    }

    [Fact]
    public void OnlyAKeyExchangeGoesToANickThatCameBackUnseen()
    {
        _peers.Spoke("bob", null, isOtr: true);
        _peers.Gone("BOB");

        AssertRefused(PeerObstacle.Gone, WireKind.Data, WireKind.Control, WireKind.Clear);
        AssertGoes("bob", "bob", WireKind.Request);
        AssertRefused(PeerObstacle.Unproven, WireKind.Data, WireKind.NextFragment, WireKind.Control, WireKind.Clear);
        AssertGoes("bob", "bob", WireKind.KeyExchange);
        AssertGoes("bob", "bob", WireKind.NextFragment);
        _peers.Spoke("bob", null, isOtr: false);
        AssertGoes("bob", "bob", WireKind.Clear);
        AssertRefused(PeerObstacle.Unproven, WireKind.Data);
        _peers.Spoke("bob", null, isOtr: true);
        AssertGoes("bob", "bob", WireKind.Data);

        void AssertRefused(PeerObstacle obstacle, params WireKind[] kinds)
        {
            foreach (var kind in kinds) Assert.Equal(obstacle, _peers.Target("bob", kind, out _));
        }
    }

    [Fact]
    public void AnotherSpellingOfTheSameNickIsNoOtherPeer()
    {
        _peers.Spoke("bob", null, isOtr: true);
        _peers.Renamed("bob", "Bob");

        AssertGoes("Bob", "bob", WireKind.Data);
    }

    [Fact]
    public void StrangersAreForgottenAndKnownPeersAreNot()
    {
        _peers.Spoke("friend", null, isOtr: true);
        AssertGoes("friend", "friend");
        _peers.Renamed("friend", "pal");

        for (var i = 0; i < 100_000; i++) Assert.NotNull(_peers.Spoke($"stranger{i}", null, isOtr: false));

        Assert.Equal(IrcLimits.Peers, _peers.Count);
        AssertGoes("pal", "friend");
        Assert.Equal("friend", _peers.Spoke("pal", null, isOtr: false));
    }

    [Fact]
    public void WithAccountsThePeerIsTheAccount()
    {
        var peers = new PeerTracking(CaseMapping.Rfc1459, byAccount: true);

        Assert.Equal("account:Bob", peers.Spoke("bob", "Bob", isOtr: true));
        Assert.Equal("account:Bob", peers.Spoke("bob_phone", "Bob", isOtr: true));
        Assert.Equal(PeerObstacle.None, peers.Target("account:Bob", WireKind.Data, out var nick));
        Assert.Equal("bob_phone", nick);
        // The nick without the account is somebody else.
        Assert.Equal("bob_phone", peers.Spoke("bob_phone", null, isOtr: true));
        Assert.Equal(PeerObstacle.Gone, peers.Target("account:Bob", WireKind.Data, out _));
        Assert.Equal("account:Bob", peers.Spoke("bob_phone", "Bob", isOtr: true));
        Assert.Equal(PeerObstacle.Gone, peers.Target("account:Nobody", WireKind.Request, out _));
    }

    private void AssertGoes(string nick, string id, WireKind kind = WireKind.Data)
    {
        Assert.Equal(PeerObstacle.None, _peers.Target(id, kind, out var target));
        Assert.Equal(nick, target);
    }
}
