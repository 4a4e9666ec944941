using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Relay.Lab.Load;

/// <summary>
/// Parses the wire text of one direction of a conversation, as an eavesdropper could, and detects an AES counter that is used
/// twice with one key. Data messages are parsed by the layout of the specification (v3, "Data Message"; v2), without any code
/// of Otr.Core.
/// </summary>
internal sealed class CounterWatch
{
    private readonly Dictionary<(int KeyExchange, uint Sender, uint Receiver, uint SenderKey, uint ReceiverKey, ulong Counter),
        ulong> _used = [];
    private readonly StringBuilder _pieces = new();
    private int _keyExchanges;

    /// <summary>The number of different data messages so far.</summary>
    public int DataMessages { get; private set; }

    /// <summary>The number of byte-for-byte repetitions of a data message, which are harmless.</summary>
    public int Repeats { get; private set; }

    /// <summary>Reads the next wire text. Returns what is wrong with it; null if nothing is.</summary>
    public string? See(ReadOnlySpan<byte> wire)
    {
        if (!wire.StartsWith("?OTR"u8)) return null;
        if (wire.StartsWith("?OTR|"u8) || wire.StartsWith("?OTR,"u8))
        {
            if (!Join(Encoding.ASCII.GetString(wire))) return null;
            wire = Encoding.ASCII.GetBytes(_pieces.ToString());
        }
        if (!wire.StartsWith("?OTR:"u8) || wire[^1] != (byte)'.') return null;
        var message = new byte[Base64.GetMaxDecodedFromUtf8Length(wire.Length)];
        if (Base64.DecodeFromUtf8(wire[5..^1], message, out _, out int length) != System.Buffers.OperationStatus.Done)
            return "wire text that is not base64";
        return See(message, length);
    }

    private string? See(byte[] message, int length)
    {
        var reader = new Layout(message.AsSpan(0, length));
        int version = reader.Short();
        int type = reader.Byte();
        // Reveal Signature and Signature end a key exchange, after which key ids may restart with new keys.
        if (type is 0x11 or 0x12) _keyExchanges++;
        if (type != 0x03) return null;
        var (sender, receiver) = version == 3 ? (reader.Int(), reader.Int()) : (0, 0);
        reader.Byte();
        var (senderKey, receiverKey) = (reader.Int(), reader.Int());
        reader.Data();
        ulong counter = reader.Long();
        var hash = BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(reader.Data()));
        if (reader.IsShort) return "a truncated data message";
        DataMessages++;
        var place = (_keyExchanges, sender, receiver, senderKey, receiverKey, counter);
        if (counter == 0) return "counter 0, which the specification forbids";
        if (_used.TryAdd(place, hash)) return null;
        if (_used[place] != hash)
            return string.Create(CultureInfo.InvariantCulture, $"counter {counter} twice under keys {senderKey} and {receiverKey}");
        Repeats++;
        return null;
    }

    /// <summary>
    /// Appends the piece of a fragment (v3: <c>?OTR|sender|receiver,k,n,piece,</c>; v2 without the tags). Returns true for the last one.
    /// </summary>
    private bool Join(string fragment)
    {
        var parts = fragment.Split(',');
        // Version 2 begins "?OTR,k,n,", version 3 "?OTR|…|…,k,n,": k is the second part of both.
        if (parts.Length < 5 || !int.TryParse(parts[1], CultureInfo.InvariantCulture, out int k)
            || !int.TryParse(parts[2], CultureInfo.InvariantCulture, out int n))
        {
            return false;
        }
        if (k == 1) _pieces.Clear();
        _pieces.Append(parts[3]);
        return k == n;
    }

    /// <summary>Reads consecutive big-endian fields; a missing one reads as 0 and sets <see cref="IsShort"/>.</summary>
    private ref struct Layout(ReadOnlySpan<byte> rest)
    {
        private ReadOnlySpan<byte> _rest = rest;

        public bool IsShort { get; private set; }

        public int Byte() => Take(1)[0];

        public int Short() => BinaryPrimitives.ReadUInt16BigEndian(Take(2));

        public uint Int() => BinaryPrimitives.ReadUInt32BigEndian(Take(4));

        public ulong Long() => BinaryPrimitives.ReadUInt64BigEndian(Take(8));

        public ReadOnlySpan<byte> Data()
        {
            uint length = Int();
            return length > _rest.Length ? Take(int.MaxValue) : Take((int)length);
        }

        private ReadOnlySpan<byte> Take(int length)
        {
            if (length > _rest.Length)
            {
                IsShort = true;
                _rest = default;
                return new byte[8];
            }
            var taken = _rest[..length];
            _rest = _rest[length..];
            return taken;
        }
    }
}
