namespace Otr.Core.Tests.V4;

/// <summary>The interactive DAKE against published handshakes.</summary>
public class DakeVectorTests
{
    [Theory]
    [InlineData("dake-interactive", 3, 4)]
    [InlineData("dake-collision", 9, 1)]
    [InlineData("double-ratchet", 3, 0)]
    [InlineData("smp", 3, 0)]
    public void Published_handshakes_replay_from_their_draws(string file, int sent, int refused)
    {
        var replay = new DakeReplay(file);
        replay.Play();
        Assert.Equal((sent, refused), (replay.SentCount, replay.RefusedCount));
        Assert.Equal(replay.Sides["alice"].Completed!.Ssid, replay.Sides["bob"].Completed!.Ssid);
    }
}
