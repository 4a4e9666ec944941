using Relay.Simulation.Tests.Engine;

namespace Relay.Simulation.Tests.Network;

/// <summary>
/// Carries messages between nodes as Akka's remoting promises it, and a little worse: at most once where nothing is
/// repeated, in no order, and with copies that come when nobody expects them any more.
/// </summary>
internal sealed class SimNetwork(Schedule schedule)
{
    /// <summary>Longest delay of a message while the network is slow, and of a copy.</summary>
    private const int SlowMs = 1500;

    private readonly HashSet<SimProcess> _cutOff = [];

    /// <summary>Of a thousand messages, how many are lost.</summary>
    public int Losing { get; set; }

    /// <summary>Of a thousand messages, how many come again later.</summary>
    public int Repeating { get; set; }

    /// <summary>Longest time after which a copy comes.</summary>
    public required int LongestCopyMs { get; init; }

    /// <summary>Messages on their way to processes that live.</summary>
    public int UnderWay { get; private set; }

    /// <summary>Neither sends nor receives from now on, without knowing it.</summary>
    public void CutOff(SimProcess process) => _cutOff.Add(process);

    public void Reconnect(SimProcess process) => _cutOff.Remove(process);

    public bool IsCutOff(SimProcess process) => _cutOff.Contains(process);

    public void End()
    {
        (Losing, Repeating) = (0, 0);
        _cutOff.Clear();
    }

    public void Send(SimProcess from, SimProcess to, string what, long argument, Action deliver)
    {
        if (schedule.Random.Chance(Repeating)) Post(from, to, $"late copy: {what}", argument, deliver, schedule.Random.Next(LongestCopyMs));
        if (schedule.Random.Chance(Losing))
        {
            schedule.Note("network", "loses a message", argument);
            return;
        }
        Post(from, to, what, argument, deliver, schedule.Random.Chance(Repeating) ? schedule.Random.Next(SlowMs) : schedule.Random.Next(2));
    }

    private void Post(SimProcess from, SimProcess to, string what, long argument, Action deliver, long delayMs)
    {
        if (to.IsDead || from != to && (IsCutOff(from) || IsCutOff(to)))
        {
            schedule.Note("network", "reaches nobody", argument);
            return;
        }
        UnderWay++;
        bool isOver = false;
        void Over()
        {
            if (!isOver) UnderWay--;
            isOver = true;
        }
        to.Died += Over;
        schedule.Post(to, what, argument, () =>
        {
            to.Died -= Over;
            Over();
            deliver();
        }, delayMs);
    }
}
