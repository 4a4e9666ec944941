using Otr.Core.Tests.Conversations;
using Otr.Core.Tests.Kit;

namespace Otr.Core.Tests.V4;

/// <summary>Parties that speak version 4.</summary>
internal static class Party4
{
    private static readonly Ed448IdentityKey[] Identities =
        [.. Enumerable.Range(0, 8).Select(seed => Ed448IdentityKey.Generate(new SeededRandom(4000 + seed)))];

    public static Ed448IdentityKey Identity(int seed) => Identities[seed % Identities.Length];

    /// <summary>Version 4 only, named after its seed, speaking with the party of another seed.</summary>
    public static OtrSettings Settings(int seed, int peer) => new()
    {
        Policy = OtrPolicy.RequireEncryption, SpeaksVersion4 = true, OwnAddress = $"party{seed}@test", PeerAddress = $"party{peer}@test",
    };

    public static OtrAccount Account(int seed, uint tag = 0) =>
        new(TestKeys.Of(seed), tag == 0 ? 0x1000u + (uint)seed : tag) { Identity = Identity(seed) };

    public static Party New(int seed, int peer, Func<OtrSettings, OtrSettings>? change = null, uint tag = 0, int? random = null)
    {
        var settings = Settings(seed, peer);
        return new Party(
            seed, change is null ? settings : change(settings), account: Account(seed, tag), random: new SeededRandom(random ?? 70 + seed));
    }

    /// <summary>Two that know each other's address.</summary>
    public static (Party Us, Party Peer) Pair(Func<OtrSettings, OtrSettings>? change = null) => (New(1, 2, change), New(2, 1, change));

    /// <summary>A private session of version 4.</summary>
    public static (Party Us, Party Peer) Established(Func<OtrSettings, OtrSettings>? change = null)
    {
        var (us, peer) = Pair(change);
        Network.Establish(us, peer);
        Assert.Equal(4, us.Conversation.Sessions.Single().Version);
        return (us, peer);
    }
}
