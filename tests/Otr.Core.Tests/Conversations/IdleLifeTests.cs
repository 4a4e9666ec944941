using Otr.Core.Tests.Kit;

namespace Otr.Core.Tests.Conversations;

/// <summary>The end of sessions that nobody uses, whatever the clock does.</summary>
public sealed class IdleLifeTests
{
    private const long Day = 86_400_000, TenMinutes = 600_000;

    private readonly Party _peer = new(2);

    private Party Us(long? life = null)
    {
        var us = new Party(1, life is { } l ? new OtrSettings { SessionIdleLifetime = l } : null);
        Network.Establish(us, _peer);
        return us;
    }

    private static bool Expires(Party us)
    {
        us.Restore(us.Snapshot());
        us.Step(new OtrInput.TimePassed());
        return us.Conversation.State != MessageState.Encrypted;
    }

    [Fact]
    public void By_default_a_fortnight_without_use_ends_a_session_and_both_sides_are_told()
    {
        var us = Us();
        us.Now += 14 * Day - 1;
        Assert.False(Expires(us));
        Network.Run(us, _peer, us.Send("used"));
        us.Now += 14 * Day - 1;
        Assert.False(Expires(us));
        Assert.Equal(us.Now + 1, us.Conversation.NextDeadline);
        us.Now++;
        var told = us.Step(new OtrInput.TimePassed());
        Assert.Equal(SessionCause.Expired, told.OfType<OtrEffect.SessionChanged>().Single().Cause);
        _peer.Receive(told.Wire().Single());
        Assert.Equal(MessageState.Finished, _peer.Conversation.State);
        // Nothing leaves in the clear until the user has ended it, too.
        Assert.Equal(new OtrEffect.Refused(RefusalReason.SessionFinished), Assert.Single(us.Send("x")));
    }

    [Theory]
    [InlineData(Day)]
    [InlineData(-Day)]
    public void A_clock_that_was_wrong_once_does_not_keep_a_session_alive(long jump)
    {
        var us = Us(TenMinutes);
        us.Now += jump;
        if (jump > 0) _peer.Now = us.Now;
        // A message at the wrong time, which is when the session was last used.
        if (jump > 0) Network.Establish(us, _peer);
        us.Now -= jump > 0 ? jump : 0;
        us.Now += TenMinutes;
        Assert.True(Expires(us));
    }

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(long.MaxValue - 1)]
    public void A_life_without_end_has_no_deadline_in_the_past(long life)
    {
        var us = Us(life);
        us.Now += 10_000 * Day;
        Assert.False(Expires(us));
        Assert.True(us.Conversation.NextDeadline is null || us.Conversation.NextDeadline > us.Now);
    }

    [Fact]
    public void Without_a_life_a_session_stays()
    {
        var us = Us(0);
        us.Now += 10_000 * Day;
        Assert.False(Expires(us));
        Assert.Null(us.Conversation.NextDeadline);
    }
}
