using Relay.Actors;
using Relay.Simulation.Tests.Checks;

namespace Relay.Simulation.Tests.Outside;

/// <summary>A bot or a bridge towards one conversation: one command under way, in order, repeated under its id until it is answered. Now and then an old one is asked again.</summary>
internal sealed class CommandSender(Clients clients, Checker checker, ConversationAddress.ByPeer address, string name, SenderHabits habits)
{
    /// <summary>How soon a sender who waits for the other one looks again.</summary>
    private const int PatienceMs = 100;

    private readonly Queue<Command> _waiting = [];
    private readonly List<Command> _done = [];
    private bool _isUnderWay;
    private int _begunByOther;

    /// <summary>
    /// The conversation's other sender. It must not get far ahead while a command here has no answer: a small request log
    /// would forget what is still being asked.
    /// </summary>
    public CommandSender? Other { get; set; }

    public bool IsIdle => _waiting.Count == 0 && !_isUnderWay;

    /// <summary>All that have their answer, in order.</summary>
    public IReadOnlyList<Command> Answered => _done;

    public void Send(Command command)
    {
        _waiting.Enqueue(command);
        Next();
    }

    private void Next()
    {
        if (_isUnderWay || !_waiting.TryPeek(out var command)) return;
        if (Other is { _isUnderWay: true } other && other._begunByOther >= habits.MostAhead)
        {
            clients.Schedule.Post(clients.Outside, "waits for the other sender", 0, Next, PatienceMs);
            return;
        }
        _isUnderWay = true;
        _begunByOther = 0;
        if (Other is not null) Other._begunByOther++;
        Ask(command, _done.Count, () =>
        {
            _waiting.Dequeue();
            _done.Add(command);
            if (clients.Schedule.Random.Chance(habits.Replays)) Ask(_done[clients.Schedule.Random.Next(_done.Count)], -1, Done);
            else Done();
        });
    }

    private void Done()
    {
        _isUnderWay = false;
        Next();
    }

    private void Ask(Command command, int number, Action answered)
        => clients.Call<ConversationReply>(name, number, (node, cancellation) => node.AskAsync(address, command, cancellation), reply =>
    {
        if (reply is null or ConversationReply.Unavailable or ConversationReply.Overloaded)
        {
            clients.Schedule.Post(clients.Outside, "tries again", number, () => Ask(command, number, answered), 50 + clients.Schedule.Random.Next(1000));
            return;
        }
        checker.Answered(command.RequestId, reply);
        answered();
    });
}

/// <summary>What those outside do that they need not, in a thousand.</summary>
/// <param name="MostAhead">How many commands the other sender of a conversation begins while one has no answer.</param>
internal sealed record SenderHabits(int Replays, int Recarries, int Rereads, int MostAhead)
{
    /// <summary>How often a bridge says that the network has refused a wire text of a message. A small request log would forget more by it.</summary>
    public int Refusals { get; init; }
}
