using System.Security.Cryptography;

namespace Otr.Core.Wire;

/// <summary>
/// Puts the fragments of one sender together (spec v3, "Receiving Fragments"): (K, N, F) with K of N pieces in F.
/// </summary>
internal sealed class FragmentBuffer(byte version, uint senderTag)
{
    private byte[] _text = [];

    public byte Version { get; } = version;
    public uint SenderTag { get; } = senderTag;
    /// <summary>K: pieces held; 0 when empty.</summary>
    public ushort Held { get; private set; }
    /// <summary>N.</summary>
    public ushort Count { get; private set; }
    /// <summary>F: the pieces held.</summary>
    public ReadOnlySpan<byte> Text => _text.AsSpan(0, Length);
    /// <summary>Bytes held.</summary>
    public int Length { get; private set; }
    /// <summary>When the last piece came, Unix ms.</summary>
    public long Touched { get; private set; }

    /// <summary>
    /// Takes a piece. True: the message is complete, in <see cref="Text"/>, until <see cref="Reset"/>. An empty piece is
    /// passed over, and counts only where it would have been the last one (otr3 sends such a one).
    /// </summary>
    public FragmentOutcome Add(in Fragment fragment, long now, int limit)
    {
        var isNext = Held > 0 && fragment.Count == Count && fragment.Index == Held + 1;
        if (fragment.Piece.IsEmpty && !(isNext && fragment.Index == Count)) return FragmentOutcome.Ignored;
        if (fragment.Index == 1)
        {
            Reset();
            Count = fragment.Count;
        }
        else if (!isNext)
        {
            Reset();
            return FragmentOutcome.OutOfOrder;
        }
        if (Length + fragment.Piece.Length > limit)
        {
            Reset();
            return FragmentOutcome.TooLarge;
        }
        Append(fragment.Piece);
        Held = fragment.Index;
        Touched = now;
        return Held == Count ? FragmentOutcome.Complete : FragmentOutcome.Stored;
    }

    /// <summary>As before the last piece was added, which is not the first.</summary>
    public void TakeBack(in Fragment last, long touched)
    {
        CryptographicOperations.ZeroMemory(_text.AsSpan(Length -= last.Piece.Length));
        (Held, Touched) = ((ushort)(last.Index - 1), touched);
    }

    /// <summary>Puts back what a snapshot held.</summary>
    public void Restore(ushort held, ushort count, ReadOnlySpan<byte> text, long touched)
    {
        (Held, Count, Touched) = (held, count, touched);
        Append(text);
    }

    /// <summary>Forgets and wipes the pieces.</summary>
    public void Reset()
    {
        CryptographicOperations.ZeroMemory(_text);
        _text = [];
        Held = Count = 0;
        Length = 0;
    }

    private void Append(ReadOnlySpan<byte> piece)
    {
        // Grows by doubling: bounded by bytes received, never by what a header claims.
        if (piece.Length > _text.Length - Length) Array.Resize(ref _text, Math.Max(Length + piece.Length, 2 * _text.Length));
        piece.CopyTo(_text.AsSpan(Length));
        Length += piece.Length;
    }
}

/// <summary>What became of a fragment.</summary>
internal enum FragmentOutcome
{
    Stored,
    Complete,
    /// <summary>Empty and not last: passed over, nothing changed.</summary>
    Ignored,
    OutOfOrder,
    TooLarge,
}
