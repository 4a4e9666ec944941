using System.Diagnostics;
using System.Runtime.Serialization;
using System.Security.Cryptography;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Serialization;
using Otr.Core;
using Relay.Actors.Subscriptions;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Conversations;

/// <summary>Gives an actor system's serializer the cluster's key.</summary>
internal sealed class ConversationSerializerSetup(Sealer sealer) : Setup
{
    public Sealer Sealer => sealer;
}

/// <summary>
/// The form of Relay's messages between nodes: version (1) ‖ fields, sealed under the cluster's key and bound to the kind
/// of message. An attacker on the wire, or with a certificate but without the key, can neither read nor forge them.
/// </summary>
/// <remarks>
/// Conversation, request id and expiry of a command are inside its seal. A replayed command has
/// expired, or is answered from the request log, which forgets no id younger than the longest expiry: it has no second
/// effect.
/// </remarks>
internal sealed class ConversationSerializer : SerializerWithStringManifest
{
    private const byte Version = 5;
    private const string CommandManifest = "c", WakeManifest = "w", AnswerManifest = "a", GrowthManifest = "g",
        SubscriptionManifest = "s", SubscriptionAnswerManifest = "r";
    private const byte Done = 1, WireRejected = 2, Refused = 3, NotFound = 4, RequestIdReused = 5, Overloaded = 6, Unavailable = 7,
        Quarantined = 8, Conflict = 9;
    private const int LeastGrowthSize = 4 + 1 + 8;

    private readonly Sealer _sealer;

    public ConversationSerializer(ExtendedActorSystem system) : base(system)
        => _sealer = system.Settings.Setup.Get<ConversationSerializerSetup>() is { HasValue: true } setup
            ? setup.Value.Sealer
            : throw new InvalidOperationException($"The actor system was made without a {nameof(ConversationSerializerSetup)}.");

    /// <summary>Must be the same on every node and cannot be changed later.</summary>
    public override int Identifier => 7430;

    public override string Manifest(object o) => o switch
    {
        ConversationCommand => CommandManifest,
        Wake => WakeManifest,
        ConversationAnswer => AnswerManifest,
        StreamsGrew => GrowthManifest,
        SubscriptionCommand => SubscriptionManifest,
        SubscriptionAnswer => SubscriptionAnswerManifest,
        _ => throw new SerializationException($"A {o.GetType().Name} is not sent between nodes."),
    };

    public override byte[] ToBinary(object obj)
    {
        using var row = new RowWriter();
        row.Byte(Version);
        switch (obj)
        {
            case ConversationCommand command:
                WriteCommand(row, command);
                break;
            case Wake wake:
                WriteKey(row, wake.Key);
                break;
            case ConversationAnswer answer:
                WriteKey(row, answer.Key);
                row.Text(answer.RequestId);
                WriteReply(row, answer.Reply);
                break;
            case StreamsGrew grew:
                WriteGrowth(row, grew);
                break;
            case SubscriptionCommand command:
                WriteKey(row, command.Key);
                SubscriptionMessageCodec.Write(row, command);
                break;
            case SubscriptionAnswer answer:
                WriteKey(row, answer.Key);
                SubscriptionMessageCodec.Write(row, answer);
                break;
        }
        var manifest = Manifest(obj);
        return _sealer.Seal(TableOf(manifest), Place(manifest), row.Written);
    }

    /// <exception cref="SerializationException">
    /// It was not sealed by this cluster as that kind of message, or its form is not known; Akka drops it.
    /// </exception>
    public override object FromBinary(byte[] bytes, string manifest)
    {
        if (manifest is not (CommandManifest or WakeManifest or AnswerManifest or GrowthManifest or SubscriptionManifest
            or SubscriptionAnswerManifest))
            throw new SerializationException("A message between nodes has an unknown manifest.");
        if (_sealer.TryOpen(TableOf(manifest), Place(manifest), bytes) is not { } clear)
            throw new SerializationException("The seal of a message between nodes does not hold: its sender has another sealing key, "
                + "or it was altered.");
        try
        {
            var row = new RowReader(clear);
            if (row.Byte() != Version)
                throw new SerializationException("A message between nodes has an unknown version: its sender is another release of Relay.");
            object? message = manifest switch
            {
                CommandManifest => ReadCommand(ref row),
                WakeManifest => new Wake(ReadKey(ref row)),
                AnswerManifest => ReadAnswer(ref row),
                SubscriptionManifest => SubscriptionMessageCodec.ReadCommand(ReadKey(ref row), ref row),
                SubscriptionAnswerManifest => SubscriptionMessageCodec.ReadAnswer(ReadKey(ref row), ref row),
                _ => ReadGrowth(ref row),
            };
            return message is not null && row.IsComplete ? message
                : throw new SerializationException("A message between nodes is not complete.");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(clear);
        }
    }

    private static SealedTable TableOf(string manifest) => manifest switch
    {
        CommandManifest or WakeManifest or SubscriptionManifest => SealedTable.Command,
        AnswerManifest or SubscriptionAnswerManifest => SealedTable.Answer,
        GrowthManifest => SealedTable.Announcement,
        _ => throw new ArgumentOutOfRangeException(nameof(manifest)),
    };

    /// <summary>Only the manifest is outside the seal. The version is inside, so that another one is told from a broken seal.</summary>
    private static RowKey Place(string manifest) => new(manifest, "", 1);

    private static void WriteKey(RowWriter row, ConversationKey key)
    {
        row.Text(key.EndpointId);
        row.Text(key.ConversationId);
    }

    private static ConversationKey ReadKey(ref RowReader row) => new(row.Text(), row.Text());

    private static void WriteCommand(RowWriter row, ConversationCommand message)
    {
        WriteKey(row, message.Key);
        row.Bool(message.Peer is not null);
        if (message.Peer is not null) row.Text(message.Peer);
        row.Int64(message.ExpiresAtMs);
        row.Bool(message.IsRepeated);
        WriteTrace(row, message.TraceContext);
        CommandCodec.Write(row, message.Command);
    }

    private static ConversationCommand? ReadCommand(ref RowReader row)
    {
        var key = ReadKey(ref row);
        var peer = row.Bool() ? row.Text() : null;
        long expires = row.Int64();
        bool isRepeated = row.Bool();
        var trace = ReadTrace(ref row);
        var command = CommandCodec.TryRead(ref row);
        return command is null ? null : new ConversationCommand(key, peer, command, expires, trace) { IsRepeated = isRepeated };
    }

    // W3C trace context, inside the seal, so that only the cluster's nodes can set it.
    private static void WriteTrace(RowWriter row, ActivityContext caller)
    {
        row.Bool(caller.TraceId != default);
        if (caller.TraceId == default) return;
        Span<byte> id = stackalloc byte[16];
        caller.TraceId.CopyTo(id);
        row.Bytes(id);
        caller.SpanId.CopyTo(id[..8]);
        row.Bytes(id[..8]);
        row.Byte((byte)caller.TraceFlags);
    }

    private static ActivityContext ReadTrace(ref RowReader row)
    {
        if (!row.Bool()) return default;
        var trace = row.Bytes();
        var span = row.Bytes();
        var flags = (ActivityTraceFlags)(row.Byte() & 1);
        if (trace.Length == 16 && span.Length == 8)
            return new ActivityContext(ActivityTraceId.CreateFromBytes(trace), ActivitySpanId.CreateFromBytes(span), flags, isRemote: true);
        row.Fail();
        return default;
    }

    private static void WriteReply(RowWriter row, ConversationReply reply)
    {
        switch (reply)
        {
            case ConversationReply.Done done:
                row.Byte(Done);
                row.Text(done.ConversationId);
                row.Name(done.State);
                row.Bool(done.Disposition is not null);
                if (done.Disposition is { } disposition) row.Name(disposition);
                row.UInt64(done.Verification);
                row.Bool(done.Sent is not null);
                if (done.Sent is not { } sent) break;
                row.UInt128(sent.Number);
                row.Int64(sent.CreatedMs);
                break;
            case ConversationReply.WireRejected rejected:
                row.Byte(WireRejected);
                row.Text(rejected.ConversationId);
                row.Name(rejected.Reason);
                break;
            case ConversationReply.Refused refused:
                row.Byte(Refused);
                row.Text(refused.ConversationId);
                row.Name(refused.Reason);
                break;
            case ConversationReply.NotFound notFound:
                row.Byte(NotFound);
                row.Text(notFound.What);
                break;
            case ConversationReply.Conflict:
                row.Byte(Conflict);
                break;
            case ConversationReply.RequestIdReused:
                row.Byte(RequestIdReused);
                break;
            case ConversationReply.Overloaded overloaded:
                row.Byte(Overloaded);
                row.Text(overloaded.Bound);
                row.Int64(overloaded.RetryAfter.Ticks);
                break;
            case ConversationReply.Unavailable unavailable:
                row.Byte(Unavailable);
                row.Text(unavailable.Reason);
                row.Int64(unavailable.RetryAfter.Ticks);
                break;
            case ConversationReply.Quarantined quarantined:
                row.Byte(Quarantined);
                row.Text(quarantined.ConversationId);
                break;
            default:
                throw new SerializationException($"A {reply.GetType().Name} has no form between nodes.");
        }
    }

    private static ConversationAnswer? ReadAnswer(ref RowReader row)
    {
        var key = ReadKey(ref row);
        var id = row.Text();
        ConversationReply? reply = row.Byte() switch
        {
            Done => new ConversationReply.Done(row.Text(), row.Name<MessageState>(), row.Bool() ? row.Name<SendDisposition>() : null)
            {
                Verification = row.UInt64(),
                Sent = row.Bool() ? new SentReference(row.UInt128(), row.Int64()) : null,
            },
            WireRejected => new ConversationReply.WireRejected(row.Text(), row.Name<RejectReason>()),
            Refused => new ConversationReply.Refused(row.Text(), row.Name<RefusalReason>()),
            NotFound => new ConversationReply.NotFound(row.Text()),
            Conflict => new ConversationReply.Conflict(),
            RequestIdReused => new ConversationReply.RequestIdReused(),
            Overloaded => new ConversationReply.Overloaded(row.Text(), new TimeSpan(row.Int64())),
            Unavailable => new ConversationReply.Unavailable(row.Text(), new TimeSpan(row.Int64())),
            Quarantined => new ConversationReply.Quarantined(row.Text()),
            _ => null,
        };
        return reply is null ? null : new ConversationAnswer(key, id, reply);
    }

    private static void WriteGrowth(RowWriter row, StreamsGrew grew)
    {
        row.UInt32((uint)grew.Streams.Count);
        foreach (var (stream, last) in grew.Streams)
        {
            row.Text(stream.EndpointId);
            row.Byte((byte)stream.Kind);
            row.UInt64(last);
        }
    }

    private static StreamsGrew ReadGrowth(ref RowReader row)
    {
        var streams = new StreamGrowth[row.Count(LeastGrowthSize)];
        for (int i = 0; i < streams.Length; i++)
        {
            var stream = new StreamKey(row.Text(), (StreamKind)row.Byte());
            if (!Enum.IsDefined(stream.Kind)) row.Fail();
            streams[i] = new StreamGrowth(stream, row.UInt64());
        }
        return new StreamsGrew(streams);
    }
}
