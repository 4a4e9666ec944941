using Relay.Bridges.Irc;

namespace Relay.Bridges.Tests.Irc;

public sealed class AcknowledgementsTests
{
    private readonly Acknowledgements _acks = new();

    [Fact]
    public void AnAnswerSettlesWhatLeftBeforeItsPing()
    {
        var (first, second) = (Send("bob", "one"), Send("bob", "two"));
        var token = _acks.Ping();
        var third = Send("bob", "three");
        Assert.False(first.IsSettled);

        _acks.Pong(token);

        Assert.Equal((Carried.Taken, Carried.Taken, null), (first.Outcome, second.Outcome, third.Outcome));
        Assert.Equal(1, _acks.Uncovered);
    }

    [Fact]
    public void AnAnswerToAnOlderPingSettlesWhatThatOneCovered()
    {
        var first = Send("bob", "one");
        var older = _acks.Ping();
        var second = Send("bob", "two");
        var newer = _acks.Ping();

        _acks.Pong(older);
        Assert.Equal((Carried.Taken, null, true), (first.Outcome, second.Outcome, _acks.IsPinging));
        _acks.Pong(newer);
        Assert.Equal((Carried.Taken, false), (second.Outcome, _acks.IsPinging));
    }

    [Fact]
    public void ATextIsSettledWithItsLastLine()
    {
        var text = new SentText("bob", WireKind.Clear, ["one", "two"]);
        Write(text, "bob");
        _acks.Pong(_acks.Ping());
        Assert.False(text.IsSettled);
        Write(text, "bob");
        _acks.Pong(_acks.Ping());
        Assert.Equal(Carried.Taken, text.Outcome);
    }

    [Theory]
    [InlineData("relay-99")]
    [InlineData("relay--1")]
    [InlineData("relay-")]
    [InlineData("irc.example")]
    [InlineData("")]
    public void AnAnswerThatNobodyAskedForSettlesNothing(string token)
    {
        var text = Send("bob", "one");
        _acks.Pong(token);

        Assert.False(text.IsSettled);
    }

    [Theory]
    [InlineData("one", "Whole")]
    [InlineData("o", "Cut")]
    [InlineData("", "Cut")]
    // A server that removes blanks or replaces words has not cut.
    [InlineData("two", "Whole")]
    public void AnEchoShowsWhetherALineWasCut(string echo, string result)
    {
        var text = Send("bob", "one ");

        Assert.Equal(result, _acks.Echo("BOB", echo, null, CaseMapping.Rfc1459).ToString());
        Assert.Equal(result == "Cut" ? Carried.RefusedFor("TOO_LARGE") : Carried.Taken, text.Outcome);
        Assert.Equal(0, _acks.Uncovered);
    }

    [Fact]
    public void EchoesBelongToTheirTargetOrLabel()
    {
        var toBob = Send("bob", "one");
        var text = new SentText("eve", WireKind.Clear, ["one"]) { Written = 1 };
        var label = _acks.Wrote(text, "eve", "one");

        Assert.Equal(EchoResult.Unknown, _acks.Echo("carol", "one", null, CaseMapping.Rfc1459));
        Assert.Equal(EchoResult.Unknown, _acks.Echo("eve", "one", "other", CaseMapping.Rfc1459));
        Assert.Equal(EchoResult.Whole, _acks.Echo("eve", "one", label, CaseMapping.Rfc1459));
        Assert.Equal((true, false), (text.IsSettled, toBob.IsSettled));
    }

    [Fact]
    public void AFailureRefusesWhatWentToTheTarget()
    {
        var (toBob, toEve) = (Send("Bob", "one"), Send("eve", "one"));

        Assert.Equal(1, _acks.Fail("bob", null, CaseMapping.Rfc1459, Failures.NoSuchPeer));
        Assert.Equal(Carried.RefusedFor("NO_SUCH_PEER"), toBob.Outcome);
        _acks.Pong(_acks.Ping());
        Assert.Equal(Carried.Taken, toEve.Outcome);
        Assert.Equal(0, _acks.Fail("nobody", null, CaseMapping.Rfc1459, Failures.NoSuchPeer));
    }

    [Fact]
    public void WhatIsNotCertainIsUnknownWhenTheConnectionEnds()
    {
        var text = Send("bob", "one");
        _acks.Lose();

        Assert.Equal(Carried.Unknown, text.Outcome);
    }

    private SentText Send(string target, string line)
    {
        var text = new SentText(target, WireKind.Clear, [line]);
        Write(text, target);
        return text;
    }

    private void Write(SentText text, string target)
    {
        text.Written++;
        _acks.Wrote(text, target, text.Lines[text.Written - 1]);
    }
}
