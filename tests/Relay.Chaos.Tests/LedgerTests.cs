using Relay.Lab.Load;

namespace Relay.Chaos.Tests;

/// <summary>The ledger must notice everything that it is there to notice.</summary>
public sealed class LedgerTests
{
    private readonly LoadLedger _ledger = new();
    private readonly LoadConversation _conversation;

    public LedgerTests() => _conversation = new LoadConversation(0, "endpoints/e", "alice", _ledger);

    [Fact]
    public void Once_and_in_order_is_no_fault()
    {
        _ = _conversation.Ask("a");
        _ = _conversation.Ask("b");
        _conversation.BotRead("a", true);
        _conversation.BotRead("b", true);
        foreach (var text in new[] { "re a", "re b" })
        {
            _ = _conversation.BotSays(text);
            _conversation.Read(text, true);
        }
        Assert.Empty(_ledger.Faults);
        Assert.True(_conversation.IsSettled);
        Assert.Equal(2, _ledger.Answers);
    }

    [Theory]
    [InlineData("twice", "a", "a")]
    [InlineData("too early", "b")]
    [InlineData("not sent", "c")]
    public void What_is_not_the_next_is_a_fault(string word, params string[] read)
    {
        _ = _conversation.Ask("a");
        _ = _conversation.Ask("b");
        foreach (var text in read) _conversation.BotRead(text, true);
        Assert.Contains(word, Assert.Single(_ledger.Faults), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_read_is_not_settled()
    {
        _ = _conversation.Ask("a");
        Assert.False(_conversation.IsSettled);
        _conversation.BotRead("a", true);
        Assert.False(_conversation.IsSettled);
        Assert.Empty(_ledger.Faults);
    }

    [Fact]
    public void Clear_text_a_second_session_and_its_end_are_faults()
    {
        _ = _conversation.Ask("a");
        _conversation.BotRead("a", isPrivate: false);
        _conversation.SessionBegan();
        _conversation.SessionBegan();
        _conversation.BotSessionBegan();
        _conversation.BotSessionBegan();
        _conversation.SessionEnded();
        _conversation.Refused("BadMac");
        Assert.Equal(5, _ledger.Faults.Count);
    }

    [Fact]
    public async Task An_answer_is_timed_and_awaited()
    {
        var next = _conversation.NextAnswerAsync(TestContext.Current.CancellationToken);
        var answered = _conversation.Ask("a");
        _conversation.BotRead("a", true);
        _ = _conversation.BotSays("re a");
        Assert.False(answered.IsCompleted);
        _conversation.Read("re a", true);
        await answered;
        Assert.Equal(0, (await next).Conversation);
        Assert.Single(_ledger.AnswersSince(0));
    }
}
