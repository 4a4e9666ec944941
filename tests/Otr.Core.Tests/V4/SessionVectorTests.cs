namespace Otr.Core.Tests.V4;

/// <summary>Published sessions through the product, from the query to the last message.</summary>
public class SessionVectorTests
{
    private static SessionReplay Played(string file)
    {
        var replay = new SessionReplay(file);
        replay.Play();
        return replay;
    }

    [Theory]
    [InlineData("dake-interactive", 3, 0, 4)]
    [InlineData("double-ratchet", 28, 23, 9)]
    [InlineData("late-messages", 11, 8, 1)]
    [InlineData("expiry", 6, 2, 0)]
    public void Handshake_and_data_messages(string file, int sent, int delivered, int refused)
    {
        var replay = Played(file);
        Assert.Equal((sent, delivered, refused), (replay.SentCount, replay.DeliveredCount, replay.RefusedCount));
    }

    [Fact]
    public void Smp()
    {
        var replay = Played("smp");
        SmpOutcome[] expected =
        [
            SmpOutcome.Success, SmpOutcome.Success, SmpOutcome.Failure, SmpOutcome.Failure, SmpOutcome.Success, SmpOutcome.Success,
            SmpOutcome.Aborted, SmpOutcome.Aborted,
        ];
        Assert.Equal(expected, replay.Outcomes);
    }

    [Fact]
    public void Extra_symmetric_keys() => Assert.Equal(6, Played("extra-key").ExtraKeys.Count);

    [Fact]
    public void Fragments()
    {
        var replay = Played("fragments");
        Assert.Equal((3 + 3 + 3 + 5, 3, 1), (replay.SentCount, replay.DeliveredCount, replay.RefusedCount));
    }
}
