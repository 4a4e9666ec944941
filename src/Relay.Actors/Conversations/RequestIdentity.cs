using System.Buffers.Binary;
using System.Text;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Conversations;

/// <summary>Keyed hashes of a command's id and content, by which a repetition is recognised.</summary>
internal readonly record struct RequestIdentity(UInt128 Id, UInt128 Content)
{
    public static RequestIdentity Of(KeyedIds ids, Command command)
    {
        // The secrets of SMP are short, and a hash of one, kept for a day, could be searched for it: they are no part of the identity.
        var (kind, text) = command switch
        {
            Command.ReceiveWire wire => ("wire", wire.Text),
            Command.SendText send => ("send", send.Text),
            Command.StartSession => ("start", default),
            Command.EndSession => ("end", default),
            Command.Delete => ("delete", default),
            Command.StartSmp smp => ("smp-start", smp.Question),
            Command.AnswerSmp smp => ("smp-answer", Number(smp.Verification)),
            Command.AbortSmp smp => ("smp-abort", Number(smp.Verification)),
            Command.SetTrust trust => ("trust", TrustContent(trust)),
            Command.ImportKeys import => ("import", ImportContent(import)),
            Command.DecideKey decide => ("key", KeyContent(decide)),
            Command.SetAnswerSecret answer => ("answer-secret", new[] { answer.Secret is null ? (byte)0 : (byte)1 }),
            Command.SetLabels labels => ("labels", LabelsContent(labels)),
            Command.OfferFile offer => ("file", Encoding.UTF8.GetBytes(offer.FileId)),
            Command.ReportFile report => ("file-report", Encoding.UTF8.GetBytes(report.File.Id)),
            Command.CancelSend cancel => ("cancel", Encoding.UTF8.GetBytes(cancel.Message)),
            Command.SettleSend settle => ("settle", Encoding.UTF8.GetBytes(settle.Message)),
            _ => throw new ArgumentException($"A command without an identity: {command.GetType().Name}.", nameof(command)),
        };
        // Ids of bridges and of bots are separate spaces: the same id from the two is not the same request.
        var id = command switch
        {
            Command.ReceiveWire => OfWire(ids, command.RequestId),
            Command.SettleSend => ids.Of("settlement-id", Encoding.UTF8.GetBytes(command.RequestId)),
            Command.ReportFile => ids.Of("file-report-id", Encoding.UTF8.GetBytes(command.RequestId)),
            _ => ids.Of("request-id", Encoding.UTF8.GetBytes(command.RequestId)),
        };
        return new RequestIdentity(id, ids.Of("content/" + kind, text.Span));
    }

    private static ReadOnlyMemory<byte> Number(ulong value) => BitConverter.GetBytes(BinaryPrimitives.ReverseEndianness(value));

    private static ReadOnlyMemory<byte> TrustContent(Command.SetTrust trust)
    {
        using var row = new RowWriter();
        SessionCodec.WriteFingerprint(row, trust.Fingerprint);
        row.Text(trust.Trust?.Label ?? "");
        row.Bool(trust.Trust is not null);
        row.Text(trust.Note ?? "");
        row.Bool(trust.Note is not null);
        return row.Written.ToArray();
    }

    private static ReadOnlyMemory<byte> KeyContent(Command.DecideKey decide)
    {
        using var row = new RowWriter();
        SessionCodec.WriteFingerprint(row, decide.Fingerprint);
        row.Bool(decide.IsAccepted);
        return row.Written.ToArray();
    }

    private static ReadOnlyMemory<byte> LabelsContent(Command.SetLabels labels)
    {
        using var row = new RowWriter();
        CommandCodec.WriteLabels(row, labels);
        return row.Written.ToArray();
    }

    private static ReadOnlyMemory<byte> ImportContent(Command.ImportKeys import)
    {
        using var row = new RowWriter();
        Identities.WriteViews(row, import.Identities);
        SessionCodec.WriteFingerprint(row, import.Latest);
        row.Byte(import.HighestVersion);
        return row.Written.ToArray();
    }

    /// <summary>The hash of the id of a bridge's message.</summary>
    public static UInt128 OfWire(KeyedIds ids, string messageId) => ids.Of("wire-id", Encoding.UTF8.GetBytes(messageId));
}
