namespace Relay.Actors.Cluster.Broker;

/// <summary>What was published on a channel and is not confirmed, by the sequence numbers that broker and client count alike from 1.</summary>
internal sealed class ConfirmWindow
{
    private readonly Dictionary<ulong, PendingCommand> _open = [];
    private ulong _last, _lowest = 1;

    public int Count => _open.Count;

    /// <summary>Right before it is published.</summary>
    public void Add(PendingCommand command) => _open.Add(++_last, command);

    /// <summary>Takes out what a confirm or refusal is about: one, or all up to it.</summary>
    public List<PendingCommand> Take(ulong sequence, bool multiple)
    {
        List<PendingCommand> taken = [];
        if (!multiple)
        {
            if (_open.Remove(sequence, out var one)) taken.Add(one);
            return taken;
        }
        // Zero: all that was published.
        ulong end = sequence == 0 ? _last : Math.Min(sequence, _last);
        for (; _lowest <= end; _lowest++)
        {
            if (_open.Remove(_lowest, out var command)) taken.Add(command);
        }
        return taken;
    }
}
