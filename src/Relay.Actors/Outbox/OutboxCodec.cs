using System.Security.Cryptography;
using Otr.Core;
using Relay.Actors.Conversations;
using Relay.Actors.Files;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Outbox;

/// <summary>The clear form of an outbox row: format, time, conversation, peer, then the body by kind.</summary>
internal static class OutboxCodec
{
    private const byte Format = 4;
    private const int ItemSize = 200;

    private enum Kind : byte
    {
        WireText = 1, TextReceived = 2, SessionChanged = 3, MessageDropped = 4, Notice = 5, VerificationChanged = 6, IdentityChanged = 7,
        MessageChanged = 8, FileOffer = 9, FileChanged = 10,
    }

    /// <summary>About the bytes of an item in a row.</summary>
    public static int SizeOf(OutboxItem item) => ItemSize + item.Peer.Length + item.Body switch
    {
        OutboxBody.WireText wire => wire.Text.Length,
        OutboxBody.TextReceived text => text.Utf8.Length,
        OutboxBody.Notice notice => notice.Utf8.Length,
        OutboxBody.FileChanged => FileLimits.MaxNameBytes + FileLimits.MaxMediaTypeBytes + FileLimits.MaxUrlBytes,
        _ => 0,
    };

    public static void Write(RowWriter row, long timeMs, string conversationId, string peer, OutboxBody body)
    {
        row.Byte(Format);
        row.Int64(timeMs);
        row.Text(conversationId);
        row.Text(peer);
        switch (body)
        {
            case OutboxBody.WireText wire:
                row.Byte((byte)(wire.File.Length > 0 ? Kind.FileOffer : Kind.WireText));
                if (wire.File.Length > 0) row.Text(wire.File);
                row.Bytes(wire.Text.Span);
                row.Bool(wire.Message is not null);
                if (wire.Message is not { } message) break;
                row.UInt128(message);
                row.UInt32(wire.Piece);
                row.UInt32(wire.Pieces);
                break;
            case OutboxBody.TextReceived text:
                row.Byte((byte)Kind.TextReceived);
                row.Bytes(text.Utf8.Span);
                row.Bool(text.Encrypted);
                row.Bool(text.UnexpectedlyClear);
                SessionCodec.WriteFingerprint(row, text.PeerFingerprint);
                row.Bool(text.IsVerified);
                row.Bool(text.IsKeyHeld);
                row.Int64(text.NetworkTime?.ToUnixTimeMilliseconds() ?? long.MinValue);
                break;
            case OutboxBody.SessionChanged changed:
                row.Byte((byte)Kind.SessionChanged);
                SessionCodec.Write(row, changed.Info);
                row.Name(changed.Cause);
                row.Bool(changed.FingerprintIsNew);
                row.Bool(changed.FingerprintIsChanged);
                row.Bool(changed.IsVerified);
                row.Bool(changed.IsKeyHeld);
                break;
            case OutboxBody.MessageDropped dropped:
                row.Byte((byte)Kind.MessageDropped);
                row.Text(dropped.RequestId);
                row.Text(dropped.Reason);
                row.Text(dropped.MessageId);
                break;
            case OutboxBody.MessageChanged { Message: var changed }:
                row.Byte((byte)Kind.MessageChanged);
                row.Text(changed.Id);
                row.Byte((byte)changed.Status);
                row.Text(changed.Reason);
                row.Int64(changed.Created.ToUnixTimeMilliseconds());
                row.Int64(changed.Updated.ToUnixTimeMilliseconds());
                break;
            case OutboxBody.FileChanged { File: var file }:
                row.Byte((byte)Kind.FileChanged);
                FileViewCodec.Write(row, file);
                break;
            case OutboxBody.Notice notice:
                row.Byte((byte)Kind.Notice);
                row.Text(notice.Code);
                row.Bytes(notice.Utf8.Span);
                break;
            case OutboxBody.VerificationChanged changed:
                row.Byte((byte)Kind.VerificationChanged);
                Verifications.WriteView(row, changed.Verification);
                break;
            case OutboxBody.IdentityChanged changed:
                row.Byte((byte)Kind.IdentityChanged);
                Identities.WriteView(row, changed.Identity);
                break;
            default:
                throw new InvalidOperationException($"An outbox body without a codec: {body.GetType().Name}.");
        }
    }

    /// <returns>Null if the row is of another format or damaged.</returns>
    /// <summary>When the item was committed; null: the format is unknown.</summary>
    public static DateTimeOffset? TryReadTime(ReadOnlySpan<byte> bytes)
    {
        var row = new RowReader(bytes);
        return row.Byte() == Format ? DateTimeOffset.FromUnixTimeMilliseconds(row.Int64()) : null;
    }

    public static OutboxItem? TryRead(ulong sequence, ReadOnlySpan<byte> bytes)
    {
        var row = new RowReader(bytes);
        if (row.Byte() != Format) return null;
        long time = row.Int64();
        string conversation = row.Text(), peer = row.Text();
        OutboxBody? body = (Kind)row.Byte() switch
        {
            Kind.WireText => ReadWire(ref row, ""),
            Kind.FileOffer => ReadWire(ref row, row.Text()),
            Kind.TextReceived => new OutboxBody.TextReceived(row.Bytes().ToArray(), row.Bool(), row.Bool(),
                SessionCodec.ReadFingerprint(ref row)) { IsVerified = row.Bool(), IsKeyHeld = row.Bool(), NetworkTime = ReadTime(row.Int64()) },
            Kind.SessionChanged => new OutboxBody.SessionChanged(SessionCodec.Read(ref row), row.Name<SessionCause>(), row.Bool(),
                row.Bool()) { IsVerified = row.Bool(), IsKeyHeld = row.Bool() },
            Kind.MessageDropped => new OutboxBody.MessageDropped(row.Text(), row.Text()) { MessageId = row.Text() },
            Kind.MessageChanged => new OutboxBody.MessageChanged(new MessageView(row.Text(), (MessageStatus)row.Byte(), row.Text(),
                ReadTime(row.Int64()) ?? default, ReadTime(row.Int64()) ?? default)),
            Kind.FileChanged => FileViewCodec.Read(ref row) is { } file ? new OutboxBody.FileChanged(file) : null,
            Kind.Notice => new OutboxBody.Notice(row.Text(), row.Bytes().ToArray()),
            Kind.VerificationChanged => Verifications.ReadView(ref row) is { } view ? new OutboxBody.VerificationChanged(view) : null,
            Kind.IdentityChanged => Identities.ReadView(ref row) is { } view ? new OutboxBody.IdentityChanged(view) : null,
            _ => null,
        };
        return body is not null && row.IsComplete
            ? new OutboxItem(sequence, DateTimeOffset.FromUnixTimeMilliseconds(time), conversation, peer, body) : null;
    }

    private static OutboxBody.WireText ReadWire(ref RowReader row, string file)
    {
        var wire = new OutboxBody.WireText(row.Bytes().ToArray()) { File = file };
        return row.Bool() ? wire with { Message = row.UInt128(), Piece = row.UInt32(), Pieces = row.UInt32() } : wire;
    }

    /// <summary>Null for what is no time: the network's are as it says.</summary>
    private static DateTimeOffset? ReadTime(long ms)
        => ms < DateTimeOffset.MinValue.ToUnixTimeMilliseconds() || ms > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
            ? null : DateTimeOffset.FromUnixTimeMilliseconds(ms);
}

/// <summary>A row to be appended to a stream; holds the plaintext until it is wiped.</summary>
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
