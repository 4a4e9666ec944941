using System.Security.Cryptography;

namespace Otr.Core.Wire;

/// <summary>What a message was put together from.</summary>
internal readonly record struct FragmentOrigin(uint SenderTag, bool HasIdentifier)
{
    /// <summary>Whether a message with this header may come in such fragments: they have its version's form and its sender's tag.</summary>
    public bool Fits(in MessageHeader header) =>
        HasIdentifier == header.HasIdentifiedFragments && (!header.HasTags || header.SenderTag == SenderTag);
}

/// <summary>The pieces of one message of version 4 that have come so far, in any order (specification, "Fragmentation").</summary>
/// <param name="since">When the first one came, Unix ms.</param>
internal sealed class FragmentSet(uint senderTag, uint identifier, ushort count, long since)
{
    private readonly SortedDictionary<ushort, byte[]> _pieces = [];

    public uint SenderTag => senderTag;
    public uint Identifier => identifier;
    /// <summary>Pieces of the whole message, as the first of them said.</summary>
    public ushort Count => count;
    public long Since => since;
    /// <summary>Pieces held.</summary>
    public int Held => _pieces.Count;
    /// <summary>Bytes held.</summary>
    public int Length { get; private set; }
    public bool IsComplete => _pieces.Count == count;
    /// <summary>The pieces held, by their numbers.</summary>
    public IReadOnlyDictionary<ushort, byte[]> Pieces => _pieces;

    public bool Holds(ushort index) => _pieces.ContainsKey(index);

    /// <summary>Adds a piece; false if it is held already or too long.</summary>
    /// <param name="room">Bytes that there is room for.</param>
    public bool TryAdd(in Fragment fragment, int room) => TryAdd(fragment.Index, fragment.Piece, room);

    /// <inheritdoc cref="TryAdd(in Fragment, int)"/>
    public bool TryAdd(ushort index, ReadOnlySpan<byte> piece, int room)
    {
        if (piece.Length > room || _pieces.ContainsKey(index)) return false;
        _pieces.Add(index, piece.ToArray());
        Length += piece.Length;
        return true;
    }

    /// <summary>As before this piece was added.</summary>
    public void TakeBack(ushort index)
    {
        if (!_pieces.Remove(index, out var piece)) return;
        Length -= piece.Length;
        CryptographicOperations.ZeroMemory(piece);
    }

    /// <summary>The message, once it <see cref="IsComplete"/>.</summary>
    public byte[] Assemble()
    {
        var whole = new byte[Length];
        var at = 0;
        foreach (var piece in _pieces.Values)
        {
            piece.CopyTo(whole, at);
            at += piece.Length;
        }
        return whole;
    }

    /// <summary>Wipes the pieces.</summary>
    public void Reset()
    {
        foreach (var piece in _pieces.Values) CryptographicOperations.ZeroMemory(piece);
        _pieces.Clear();
        Length = 0;
    }
}
