using Relay.Bridges.Irc;

namespace Relay.Bridges.Tests.Irc;

public sealed class FloodControlTests
{
    [Fact]
    public void ABurstLeavesAtOnceAndThenOneLineAfterTheOther()
    {
        var time = new ManualTime();
        var flood = new FloodControl(FloodProfile.Default, time);

        Assert.Equal(5, Burst(flood, 50));
        Assert.InRange(flood.WaitFor(50).TotalSeconds, 0.69, 0.71);
        time.Advance(TimeSpan.FromSeconds(0.705));
        Assert.Equal(1, Burst(flood, 50));
        time.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal(5, Burst(flood, 50));
    }

    [Fact]
    public void ABurstHasABoundInBytesToo()
    {
        var time = new ManualTime();
        var flood = new FloodControl(FloodProfile.Default, time);

        Assert.Equal(4, Burst(flood, 500));
        time.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal(4, Burst(flood, 500));
    }

    [Fact]
    public void FullLinesLeaveAtTheRateOfLines()
    {
        var time = new ManualTime();
        var flood = new FloodControl(FloodProfile.Default, time);
        var sent = 0;
        for (var passed = 0.0; passed < 70; passed += 0.01)
        {
            sent += Burst(flood, 510);
            time.Advance(TimeSpan.FromSeconds(0.01));
        }

        Assert.InRange(sent, 100, 105);
    }

    [Fact]
    public void TheStrictProfileIsThatOfRfc2813()
    {
        var time = new ManualTime();
        var flood = new FloodControl(FloodProfile.Strict, time);

        Assert.Equal(5, Burst(flood, 50));
        time.Advance(TimeSpan.FromSeconds(1.9));
        Assert.Equal(0, Burst(flood, 50));
        time.Advance(TimeSpan.FromSeconds(0.15));
        Assert.Equal(1, Burst(flood, 50));
    }

    private static int Burst(FloodControl flood, int bytes)
    {
        var lines = 0;
        for (; flood.WaitFor(bytes) == TimeSpan.Zero; lines++) flood.Take(bytes);
        return lines;
    }
}

public sealed class SendQueueTests
{
    [Fact]
    public void PeersTakeTurnsAndEachKeepsItsOrder()
    {
        var queue = new SendQueue();
        queue.Add(Text("a", WireKind.Data, "a1", "a2", "a3"));
        queue.Add(Text("b", WireKind.Data, "b1"));
        queue.Add(Text("a", WireKind.Data, "a4"));
        queue.Add(Text("b", WireKind.Data, "b2"));

        Assert.Equal(["a1", "b1", "a2", "b2", "a3", "a4"], Drain(queue));
    }

    [Fact]
    public void KeyExchangeAndSmpComeFirst()
    {
        var queue = new SendQueue();
        queue.Add(Text("a", WireKind.Data, "a1", "a2"));
        queue.Add(Text("b", WireKind.KeyExchange, "b1"));
        queue.Add(Text("b", WireKind.NextFragment, "b2"));
        queue.Add(Text("c", WireKind.Control, "c1"));
        queue.Add(Text("a", WireKind.KeyExchange, "a3"));

        // What a peer was told first stays first, whatever comes behind it.
        Assert.Equal(["b1", "c1", "b2", "a1", "a2", "a3"], Drain(queue));
    }

    [Fact]
    public void UrgentTextsLeaveATurnToTheOthers()
    {
        var queue = new SendQueue();
        for (var i = 0; i < 20; i++) queue.Add(Text($"k{i}", WireKind.KeyExchange, "k"));
        queue.Add(Text("a", WireKind.Data, "a1", "a2"));

        var order = Drain(queue);

        Assert.Equal(4, order.IndexOf("a1"));
        Assert.Equal(9, order.IndexOf("a2"));
    }

    [Fact]
    public void TheRestOfARefusedTextIsNotSent()
    {
        var queue = new SendQueue();
        var refused = Text("a", WireKind.Data, "a1", "a2", "a3");
        queue.Add(refused);
        queue.Add(Text("a", WireKind.Data, "a4"));
        queue.Peek();
        Assert.Equal("a1", queue.Take());
        refused.Settle(Carried.Refused);

        Assert.Equal(["a4"], Drain(queue));
        Assert.Equal(0, queue.Count);
    }

    [Fact]
    public void WhatHasNotLeftWhenTheConnectionEndsIsUnknown()
    {
        var queue = new SendQueue();
        var text = Text("a", WireKind.Data, "a1");
        queue.Add(text);
        queue.Lose();

        Assert.Equal(Carried.Unknown, text.Outcome);
        Assert.Null(queue.Peek());
    }

    private static SentText Text(string peer, WireKind kind, params string[] lines) => new(peer, kind, lines);

    private static List<string> Drain(SendQueue queue)
    {
        var lines = new List<string>();
        while (queue.Peek() is not null) lines.Add(queue.Take());
        return lines;
    }
}
