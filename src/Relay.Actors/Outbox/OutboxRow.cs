using System.Security.Cryptography;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Outbox;

/// <summary>A row on its way into a stream; holds the clear bytes until it is wiped.</summary>
internal sealed class OutboxRow : StreamRow
{
    private readonly Sealer _sealer;
    private readonly byte[] _clear;

    public OutboxRow(Sealer sealer, StreamKey stream, long timeMs, string conversationId, string peer, OutboxBody body)
    {
        _sealer = sealer;
        Stream = stream;
        using var writer = new RowWriter();
        OutboxCodec.Write(writer, timeMs, conversationId, peer, body);
        _clear = writer.Written.ToArray();
    }

    public override StreamKey Stream { get; }

    public int Length => _clear.Length;

    public override byte[] Seal(ulong sequence) => _sealer.Seal(SealedTable.Outbox, SealedOutbox.Row(Stream, sequence), _clear);

    public void Wipe() => CryptographicOperations.ZeroMemory(_clear);
}
