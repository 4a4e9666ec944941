using System.Globalization;
using System.Threading.Channels;

namespace Relay.Lab.Load;

/// <summary>
/// Checks one conversation from both ends. Each end's texts are recorded before they are sent, and each text that is read must
/// be the next one of the other end: delivered once, in order, in the first session. Thread-safe.
/// </summary>
internal sealed class LoadConversation(int number, string endpoint, string peer, LoadLedger ledger) : ILoadPeerListener
{
    private const string AnswerMark = "re ";
    private readonly Lock _lock = new();
    private readonly Channel<byte[]> _wire = Channel.CreateUnbounded<byte[]>();
    private readonly List<string> _contactSaid = [], _botSaid = [];
    private readonly Dictionary<string, (TaskCompletionSource Done, long Asked)> _awaited = [];
    private readonly CounterWatch _in = new(), _out = new();
    private readonly TaskCompletionSource _contactBegan = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _botBegan = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource<Answer> _nextAnswer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _botRead, _contactRead, _contactSessions, _botSessions;

    public int Number => number;

    public string Endpoint => endpoint;

    public string Peer => peer;

    /// <summary>The contact's wire text to be sent to Relay.</summary>
    public ChannelReader<byte[]> FromContact => _wire.Reader;

    /// <summary>Completes when both ends have reported an established session.</summary>
    public Task Began => Task.WhenAll(_contactBegan.Task, _botBegan.Task);

    /// <summary>The counts of messages, sessions and data messages so far.</summary>
    public LoadTally Tally
    {
        get
        {
            lock (_lock)
            {
                return new LoadTally(
                    _contactSaid.Count, _botRead, _botSaid.Count, _contactRead, _in.DataMessages + _out.DataMessages,
                    _contactSessions, _botSessions);
            }
        }
    }

    /// <summary>True if every text has been read and every question answered.</summary>
    public bool IsSettled
    {
        get { lock (_lock) return _botRead == _contactSaid.Count && _contactRead == _botSaid.Count && _awaited.Count == 0; }
    }

    public static string AnswerTo(string question) => AnswerMark + question;

    /// <summary>Waits for the next answer that the contact reads.</summary>
    public Task<Answer> NextAnswerAsync(CancellationToken cancellation)
    {
        lock (_lock) return _nextAnswer.Task.WaitAsync(cancellation);
    }

    /// <summary>Records a question before the contact sends it; completes when the contact has read its answer.</summary>
    public Task Ask(string question)
    {
        lock (_lock)
        {
            _contactSaid.Add(question);
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _awaited.Add(AnswerTo(question), (done, TimeProvider.System.GetTimestamp()));
            return done.Task;
        }
    }

    /// <summary>Records a text before the bot sends it; completes when the contact has read it, for an answer at once.</summary>
    public Task BotSays(string text)
    {
        lock (_lock)
        {
            _botSaid.Add(text);
            if (text.StartsWith(AnswerMark, StringComparison.Ordinal)) return Task.CompletedTask;
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _awaited.Add(text, (done, 0));
            return done.Task;
        }
    }

    public void BotRead(string text, bool isPrivate)
    {
        lock (_lock) Judge("the bot", _contactSaid, ref _botRead, text, isPrivate);
    }

    public void BotSessionBegan()
    {
        lock (_lock)
        {
            if (++_botSessions > 1) Fault("the bot was told of a new session");
            _botBegan.TrySetResult();
        }
    }

    public void Wire(byte[] wire)
    {
        // Called under the peer's lock, so wire texts are written in order.
        if (_in.See(wire) is { } fault) Fault("on the wire to Relay: " + fault);
        _wire.Writer.TryWrite(wire);
    }

    /// <summary>Checks Relay's wire text as the bridge receives it.</summary>
    public void WireOut(ReadOnlySpan<byte> wire)
    {
        if (_out.See(wire) is { } fault) Fault("on the wire from Relay: " + fault);
        if (_out.Repeats > 0) Fault("the bridge received a data message twice");
    }

    public void Read(string text, bool isPrivate)
    {
        (TaskCompletionSource Done, long Asked) awaited;
        lock (_lock)
        {
            Judge("the contact", _botSaid, ref _contactRead, text, isPrivate);
            if (!_awaited.Remove(text, out awaited)) return;
        }
        awaited.Done.SetResult();
        if (awaited.Asked == 0) return;
        var answer = new Answer(number, awaited.Asked, TimeProvider.System.GetTimestamp());
        ledger.Answered(answer);
        TaskCompletionSource<Answer> next;
        lock (_lock) (next, _nextAnswer) = (_nextAnswer, new(TaskCreationOptions.RunContinuationsAsynchronously));
        next.SetResult(answer);
    }

    public void SessionBegan()
    {
        lock (_lock)
        {
            if (++_contactSessions > 1) Fault("the contact had to start a new session");
            _contactBegan.TrySetResult();
        }
    }

    public void SessionEnded() => Fault("the contact's session ended");

    public void Refused(string reason) => Fault("the contact refused wire text: " + reason);

    public void Fault(string what) => ledger.Fault(peer, what);

    private void Judge(string reader, List<string> said, ref int read, string text, bool isPrivate)
    {
        if (!isPrivate) Fault($"{reader} read in the clear");
        if (read < said.Count && said[read] == text) read++;
        else
        {
            int at = said.IndexOf(text);
            var what = at < 0 ? "a text that was not sent" : at < read ? "a text twice" : "a text too early";
            Fault(string.Create(CultureInfo.InvariantCulture,
                $"{reader} read {what}: message {at + 1}, where {read + 1} of {said.Count} was next"));
        }
    }
}

/// <summary>Counts of one conversation, or the sums of several.</summary>
/// <param name="DataMessages">Data messages on the wire in both directions, whose counters were checked.</param>
internal readonly record struct LoadTally(
    int ContactSaid, int BotRead, int BotSaid, int ContactRead, int DataMessages, int ContactSessions, int BotSessions)
{
    public static LoadTally operator +(LoadTally a, LoadTally b) => new(
        a.ContactSaid + b.ContactSaid, a.BotRead + b.BotRead, a.BotSaid + b.BotSaid, a.ContactRead + b.ContactRead,
        a.DataMessages + b.DataMessages, a.ContactSessions + b.ContactSessions, a.BotSessions + b.BotSessions);
}
