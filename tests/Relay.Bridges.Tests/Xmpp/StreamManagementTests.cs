using Relay.Bridges.Xmpp;

namespace Relay.Bridges.Tests.Xmpp;

/// <summary>The counts of XEP-0198.</summary>
public sealed class StreamManagementTests
{
    /// <summary>Section 4: the counts are modulo 2^32.</summary>
    [Fact]
    public async Task What_was_sent_is_acknowledged_up_to_the_count_and_beyond_2_to_the_32()
    {
        var management = new StreamManagement("id", acknowledged: uint.MaxValue - 1);
        StreamManagement.Sent[] sent = [management.Add("1"), management.Add("2"), management.Add("3"), management.Add("4")];
        Assert.True(management.Acknowledge(uint.MaxValue));
        Assert.True(management.Acknowledge(1));
        Assert.Equal([true, true, true, false], sent.Select(s => s.Settled.IsCompletedSuccessfully && s.Settled.Result));
        Assert.Equal(["4"], management.Unacknowledged());
        // More than was sent, and less than before.
        Assert.False(management.Acknowledge(3));
        Assert.False(management.Acknowledge(0));
        management.End();
        Assert.False(await sent[3].Settled);
        Assert.False(await management.Add("5").Settled);
        Assert.Null(management.ResumptionId);
    }

    [Fact]
    public void What_was_read_is_handled_in_order()
    {
        int told = 0;
        var management = new StreamManagement("id", handledMore: () => told++);
        Action one = management.Receive(), two = management.Receive(), three = management.Receive();
        three();
        two();
        Assert.Equal((3u, 0u, 0), (management.Received, management.Handled, told));
        one();
        Assert.Equal((3u, 3u, 1), (management.Received, management.Handled, told));
    }
}
