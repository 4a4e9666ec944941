using System.Buffers.Binary;
using System.Buffers.Text;
using Relay.Simulation.Tests.Engine;

namespace Relay.Simulation.Tests.Checks;

/// <summary>
/// Reads the wire text as an eavesdropper does: the key ids and the counter of a data message are in the clear, and no
/// two different ciphertexts may be under the same. The same text again is a repetition, and harmless.
/// </summary>
internal sealed class CounterCheck(Schedule schedule)
{
    private const byte Data = 0x03, RevealSignature = 0x11, Signature = 0x12;
    /// <summary>Version, type and two instance tags (spec v3, "OTR Messages").</summary>
    private const int HeaderLength = 11;

    private readonly HashSet<string> _texts = [];
    private readonly Dictionary<(string Sender, int Session, uint SenderKey, uint RecipientKey, ulong Counter), string> _used = [];
    private readonly Dictionary<string, int> _sessions = [];

    /// <returns>Whether it is a data message of version 3.</returns>
    public bool See(string sender, ReadOnlySpan<byte> wire)
    {
        if (!wire.StartsWith("?OTR:"u8))
        {
            schedule.Note(sender, "sends other text");
            return false;
        }
        var message = new byte[Base64.GetMaxDecodedFromUtf8Length(wire.Length)];
        Base64.DecodeFromUtf8(wire[5..^1], message, out _, out _);
        bool isNew = _texts.Add(sender + Convert.ToHexString(message));
        byte type = message[2];
        schedule.Note(sender, isNew ? "sends message of type" : "repeats message of type", type);
        if (type != Data)
        {
            // With its last message of a key exchange a side begins to count anew.
            if (isNew && type is RevealSignature or Signature) _sessions[sender] = _sessions.GetValueOrDefault(sender) + 1;
            return false;
        }
        // Flags, two key ids, the next key (MPI), the counter, the ciphertext (DATA).
        var rest = message.AsSpan(HeaderLength + 1);
        uint senderKey = BinaryPrimitives.ReadUInt32BigEndian(rest), recipientKey = BinaryPrimitives.ReadUInt32BigEndian(rest[4..]);
        rest = rest[(12 + BinaryPrimitives.ReadInt32BigEndian(rest[8..]))..];
        ulong counter = BinaryPrimitives.ReadUInt64BigEndian(rest);
        var text = Convert.ToHexString(rest.Slice(12, BinaryPrimitives.ReadInt32BigEndian(rest[8..])));
        var place = (sender, _sessions.GetValueOrDefault(sender), senderKey, recipientKey, counter);
        if (!_used.TryAdd(place, text) && _used[place] != text) throw new ViolationException(Invariant.OneTextPerCounter, $"{sender} has used counter {counter} twice under keys {senderKey} and {recipientKey}.");
        return true;
    }
}
