using System.Globalization;

namespace Relay.Gateway.Audit;

/// <summary>The place in the chain that a reader has seen: a later reading must contain it.</summary>
/// <param name="Hash">Of the entry, hex.</param>
public sealed record AuditHead(ulong Sequence, string Hash)
{
    /// <summary>The head of an empty log.</summary>
    public static AuditHead None { get; } = new(0, AuditEntry.NoHash);

    /// <summary>One line: sequence and hash.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Sequence} {Hash}");

    /// <summary>Parses the line; null if it is none.</summary>
    public static AuditHead? Parse(string line) =>
        line.Trim().Split(' ') is [var sequence, { Length: 64 } hash] && hash.All(char.IsAsciiHexDigitLower)
        && ulong.TryParse(sequence, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number)
            ? new AuditHead(number, hash) : null;
}

/// <summary>
/// Checks entries of the audit log in order, from the first that is kept: that none is changed, missing, moved or repeated, and that the
/// log contains what the reader has seen before.
/// </summary>
/// <param name="seen">What the reader saw last; null: nothing.</param>
public sealed class AuditChain(AuditHead? seen)
{
    private readonly List<string> _findings = [];
    private ulong _first, _trimmed;
    private bool _hasSeen = seen is null || seen.Sequence == 0;

    /// <summary>What is wrong, in the order in which it was found.</summary>
    public IReadOnlyList<string> Findings => _findings;

    /// <summary>The last entry that was checked.</summary>
    public AuditHead Head { get; private set; } = AuditHead.None;

    /// <summary>The number of entries that were checked.</summary>
    public long Count { get; private set; }

    /// <summary>Checks the next entry.</summary>
    /// <param name="entry">Null: it does not open.</param>
    public void Add(ulong sequence, AuditEntry? entry)
    {
        bool isFirst = Count++ == 0;
        if (isFirst) _first = sequence;
        else if (sequence <= Head.Sequence) Find($"Entry {sequence} comes after entry {Head.Sequence}: the order was changed.");
        else if (sequence != Head.Sequence + 1) Find($"Entries {Head.Sequence + 1} to {sequence - 1} are missing.");
        if (entry is null)
        {
            Find($"Entry {sequence} cannot be decrypted: it was changed, or moved from another place.");
            Head = new AuditHead(sequence, "");
            return;
        }
        if (entry.Sequence != sequence) Find($"Entry {sequence} says that it is entry {entry.Sequence}: it was moved.");
        // Unknown before the first entry that is kept, and after one that does not open.
        if (!isFirst && Head.Hash.Length > 0 && entry.PreviousHash != Head.Hash)
            Find($"Entry {sequence} does not follow the entry before it: one of them was changed.");
        if (isFirst && sequence == 1 && entry.PreviousHash != AuditEntry.NoHash) Find("Entry 1 does not begin the log.");
        Head = new AuditHead(sequence, entry.Hash());
        if (entry.Kind == AuditKind.Trimmed) _trimmed = Math.Max(_trimmed, entry.Refers);
        if (entry.Kind == AuditKind.Broken)
            Find($"Entry {sequence} records that a node had seen entry {entry.Refers}, and did not find it again: entries were removed.");
        if (seen?.Sequence == sequence)
        {
            _hasSeen = true;
            if (seen.Hash != Head.Hash) Find($"Entry {sequence} is not the one that was seen before: the log was replaced.");
        }
    }

    /// <summary>Checks what can be said only when every entry was added.</summary>
    public void Complete()
    {
        if (_first > 1 && _first > _trimmed + 1)
            Find($"Entries {_trimmed + 1} to {_first - 1} are missing: no entry records that they were removed because of their age.");
        if (!_hasSeen && seen!.Sequence > Head.Sequence)
            Find($"The log ends with entry {Head.Sequence}, and entry {seen.Sequence} was seen before: its end was removed.");
    }

    private void Find(string finding) => _findings.Add(finding);
}
