using Relay.Actors;
using Relay.Simulation.Tests.Checks;

namespace Relay.Simulation.Tests.Outside;

/// <summary>A bot or a bridge towards one conversation: one command under way, in order, repeated under its id until it is answered. Now and then an old one is asked again.</summary>
internal sealed class CommandSender(Clients clients, Checker checker, ConversationAddress address, string name, SenderHabits habits)
{
    private readonly Queue<Command> _waiting = [];
    private readonly List<Command> _done = [];
    private bool _isUnderWay;

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
        _isUnderWay = true;
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

    private void Ask(Command command, int number, Action answered) => clients.Call<ConversationReply>(name, number, (relay, cancellation) => relay.AskAsync(address, command, cancellation), reply =>
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
internal sealed record SenderHabits(int Replays, int Recarries, int Rereads);
