using System.Runtime.Serialization;
using Otr.Core;
using Relay.Actors.Files;
using Relay.Storage.Sealing;

namespace Relay.Actors.Conversations;

/// <summary>The form of commands between nodes: kind (1) ‖ request id ‖ fields of the kind.</summary>
internal static class CommandCodec
{
    private const byte ReceiveWire = 1, SendText = 2, StartSession = 3, EndSession = 4, StartSmp = 5, AnswerSmp = 6, AbortSmp = 7,
        SetTrust = 8, ImportKeys = 9, CancelSend = 10, SettleSend = 11, DecideKey = 12, SetAnswerSecret = 13, SetLabels = 14, Delete = 15,
        OfferFile = 16, ReportFile = 17;
    private const int LeastLabelSize = 4 + 1;

    public static void Write(RowWriter row, Command command)
    {
        switch (command)
        {
            case Command.ReceiveWire wire:
                Begin(row, ReceiveWire, command);
                row.Bytes(wire.Text.Span);
                row.Bool(wire.After is not null);
                if (wire.After is not null) row.Text(wire.After);
                row.Bool(wire.NetworkTime is not null);
                if (wire.NetworkTime is { } time) row.Int64(time.ToUnixTimeMilliseconds());
                break;
            case Command.SendText send:
                Begin(row, SendText, command);
                row.Bytes(send.Text.Span);
                break;
            case Command.CancelSend cancel:
                Begin(row, CancelSend, command);
                row.Text(cancel.Message);
                break;
            case Command.SettleSend settle:
                Begin(row, SettleSend, command);
                row.Text(settle.Message);
                row.UInt64(settle.Sequence);
                WriteOptional(row, settle.Failure);
                break;
            case Command.StartSession:
                Begin(row, StartSession, command);
                break;
            case Command.EndSession:
                Begin(row, EndSession, command);
                break;
            case Command.StartSmp smp:
                Begin(row, StartSmp, command);
                row.Bytes(smp.Secret.Span);
                row.Bytes(smp.Question.Span);
                break;
            case Command.AnswerSmp smp:
                Begin(row, AnswerSmp, command);
                row.UInt64(smp.Verification);
                row.Bytes(smp.Secret.Span);
                break;
            case Command.AbortSmp smp:
                Begin(row, AbortSmp, command);
                row.UInt64(smp.Verification);
                break;
            case Command.SetTrust trust:
                Begin(row, SetTrust, command);
                SessionCodec.WriteFingerprint(row, trust.Fingerprint);
                WriteOptional(row, trust.Trust?.Label);
                WriteOptional(row, trust.Note);
                break;
            case Command.ImportKeys import:
                Begin(row, ImportKeys, command);
                Identities.WriteViews(row, import.Identities);
                SessionCodec.WriteFingerprint(row, import.Latest);
                row.Byte(import.HighestVersion);
                break;
            case Command.DecideKey decide:
                Begin(row, DecideKey, command);
                SessionCodec.WriteFingerprint(row, decide.Fingerprint);
                row.Bool(decide.IsAccepted);
                break;
            case Command.SetAnswerSecret answer:
                Begin(row, SetAnswerSecret, command);
                AutomaticAnswers.WriteSecret(row, answer.Secret);
                break;
            case Command.Delete:
                Begin(row, Delete, command);
                break;
            case Command.SetLabels labels:
                Begin(row, SetLabels, command);
                WriteLabels(row, labels);
                break;
            case Command.OfferFile offer:
                Begin(row, OfferFile, command);
                row.Text(offer.FileId);
                offer.File.Write(row);
                row.UInt64(offer.Revision);
                row.Int64(offer.ExpiresMs);
                break;
            case Command.ReportFile report:
                Begin(row, ReportFile, command);
                FileViewCodec.Write(row, report.File);
                break;
            default:
                throw new SerializationException($"A {command.GetType().Name} has no form between nodes.");
        }
    }

    private static void Begin(RowWriter row, byte kind, Command command)
    {
        row.Byte(kind);
        row.Text(command.RequestId);
    }

    private static void WriteOptional(RowWriter row, string? value)
    {
        row.Bool(value is not null);
        if (value is not null) row.Text(value);
    }

    private static string? ReadOptional(ref RowReader row) => row.Bool() ? row.Text() : null;

    /// <summary>What a change of labels consists of.</summary>
    public static void WriteLabels(RowWriter row, Command.SetLabels labels)
    {
        row.UInt32((uint)labels.Labels.Count);
        foreach (var (key, value) in labels.Labels)
        {
            row.Text(key);
            WriteOptional(row, value);
        }
        row.Bool(labels.ReplacesAll);
        row.Bool(labels.Revision is not null);
        if (labels.Revision is { } revision) row.UInt64(revision);
    }

    private static Command.SetLabels ReadLabels(ref RowReader row, string id)
    {
        var labels = new SortedDictionary<string, string?>(StringComparer.Ordinal);
        for (int n = row.Count(LeastLabelSize); n > 0; n--)
        {
            var (key, value) = (row.Text(), ReadOptional(ref row));
            labels[key] = value;
        }
        return new Command.SetLabels(id, labels, row.Bool(), row.Bool() ? row.UInt64() : null);
    }

    /// <returns>Null if it is of an unknown kind or damaged.</returns>
    public static Command? TryRead(ref RowReader row)
    {
        byte kind = row.Byte();
        var id = row.Text();
        return kind switch
        {
            ReceiveWire => new Command.ReceiveWire(id, row.Bytes().ToArray())
            {
                After = ReadOptional(ref row),
                NetworkTime = row.Bool() ? ReadTime(row.Int64()) : null,
            },
            SendText => new Command.SendText(id, row.Bytes().ToArray()),
            CancelSend => new Command.CancelSend(id, row.Text()),
            SettleSend => new Command.SettleSend(id, row.Text(), row.UInt64(), ReadOptional(ref row)),
            StartSession => new Command.StartSession(id),
            EndSession => new Command.EndSession(id),
            StartSmp => new Command.StartSmp(id, row.Bytes().ToArray(), row.Bytes().ToArray()),
            AnswerSmp => new Command.AnswerSmp(id, row.UInt64(), row.Bytes().ToArray()),
            AbortSmp => new Command.AbortSmp(id, row.UInt64()),
            SetTrust => ReadSetTrust(ref row, id),
            ImportKeys => new Command.ImportKeys(id, Identities.ReadViews(ref row), SessionCodec.ReadFingerprint(ref row), row.Byte()),
            DecideKey => SessionCodec.ReadFingerprint(ref row) is { } key ? new Command.DecideKey(id, key, row.Bool()) : null,
            SetAnswerSecret => new Command.SetAnswerSecret(id, AutomaticAnswers.ReadSecret(ref row)),
            Delete => new Command.Delete(id),
            SetLabels => ReadLabels(ref row, id),
            OfferFile => ReadOfferFile(ref row, id),
            ReportFile => FileViewCodec.Read(ref row) is { } file ? new Command.ReportFile(id, file) : null,
            _ => null,
        };
    }

    private static Command.OfferFile? ReadOfferFile(ref RowReader row, string id)
    {
        var (fileId, file, revision, expires) = (row.Text(), FileRecord.Read(ref row), row.UInt64(), row.Int64());
        return file is null ? null : new Command.OfferFile(id, fileId, file, revision, expires);
    }

    private static Command.SetTrust? ReadSetTrust(ref RowReader row, string id)
    {
        var fingerprint = SessionCodec.ReadFingerprint(ref row);
        var (label, note) = (ReadOptional(ref row), ReadOptional(ref row));
        return fingerprint is { } key ? new Command.SetTrust(id, key, label is null ? null : new TrustLevel(label), note) : null;
    }

    private static DateTimeOffset ReadTime(long ms) => DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(
        ms, DateTimeOffset.MinValue.ToUnixTimeMilliseconds(), DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()));
}
