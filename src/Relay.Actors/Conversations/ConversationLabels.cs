using Relay.Storage.Sealing;

namespace Relay.Actors.Conversations;

/// <summary>The labels that bots and people give a conversation, with the number of times that they were changed.</summary>
internal sealed class ConversationLabels
{
    private const int LeastEntrySize = 4 + 4;

    private readonly SortedDictionary<string, string> _values = new(StringComparer.Ordinal);

    public ulong Revision { get; private set; }

    public IReadOnlyDictionary<string, string> Values => new SortedDictionary<string, string>(_values, StringComparer.Ordinal);

    /// <summary>Whether the labels would be more than <see cref="RelayLimits.MaxLabels"/> after a change.</summary>
    public bool WouldBeTooMany(Command.SetLabels change)
    {
        int count = change.ReplacesAll ? 0 : _values.Keys.Count(k => !change.Labels.ContainsKey(k));
        return count + change.Labels.Values.Count(v => v is not null) > RelayLimits.MaxLabels;
    }

    /// <returns>Whether anything is different.</returns>
    public bool Change(Command.SetLabels change)
    {
        bool isChanged = false;
        if (change.ReplacesAll)
        {
            foreach (var key in _values.Keys.Where(k => !change.Labels.ContainsKey(k)).ToList()) isChanged |= _values.Remove(key);
        }
        foreach (var (key, value) in change.Labels)
        {
            if (value is null)
            {
                isChanged |= _values.Remove(key);
            }
            else if (_values.GetValueOrDefault(key) != value)
            {
                _values[key] = value;
                isChanged = true;
            }
        }
        if (isChanged) Revision++;
        return isChanged;
    }

    /// <summary>Removes all. The revision goes on, so that nobody takes later labels for those that were seen before.</summary>
    public void Clear()
    {
        _values.Clear();
        Revision++;
    }

    public void Write(RowWriter row)
    {
        row.UInt64(Revision);
        row.UInt32((uint)_values.Count);
        foreach (var (key, value) in _values)
        {
            row.Text(key);
            row.Text(value);
        }
    }

    public static ConversationLabels Read(ref RowReader row)
    {
        var labels = new ConversationLabels { Revision = row.UInt64() };
        int count = row.Count(LeastEntrySize);
        if (count > RelayLimits.MaxLabels) row.Fail();
        for (; count > 0 && !row.HasFailed; count--)
        {
            var (key, value) = (row.Text(), row.Text());
            labels._values[key] = value;
        }
        return labels;
    }
}
