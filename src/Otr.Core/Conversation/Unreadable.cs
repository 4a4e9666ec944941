using System.Buffers.Text;
using System.Text;
using Otr.Core.Wire;

namespace Otr.Core;

/// <summary>
/// What cannot be read: what the peer's client is sent, and whether the user is told (docs/unreadable.md). Errors answer only what
/// looks like a data message, never an error or a message of a key exchange, and are limited in number: two programs cannot keep
/// answering each other.
/// </summary>
internal static class Unreadable
{
    /// <summary>Base64 characters of a data message's head up to its flags, from version 3 on and in version 2.</summary>
    private const int Head3 = 16, Head2 = 8;

    /// <summary><see cref="ConversationState.CutLength"/> of a fragment: how long its rest is cannot be known.</summary>
    private const byte OfFragment = 4;

    private static ReadOnlySpan<byte> ErrorPrefix => "?OTR Error: "u8;
    private static ReadOnlySpan<byte> Data4 => "AAQD"u8;
    private static ReadOnlySpan<byte> Data3 => "AAMD"u8;
    private static ReadOnlySpan<byte> Data2 => "AAID"u8;

    /// <summary>A data message without a session that could read it.</summary>
    /// <param name="code">Comes before the text, where the version has codes for errors.</param>
    public static void OnNoSession(in StepContext step, bool quiet, string code = "")
    {
        step.Reject(RejectReason.NotEncrypted, quiet);
        if (!quiet) Reply(step, code + "You sent encrypted data, but there is no private session here: start a new one.");
    }

    /// <summary>A data message of a session: its key ids, MAC or next key are not right.</summary>
    public static void OnRefused(in StepContext step, RejectReason reason, bool quiet, string code = "")
    {
        // A replay is as a rule the transport's: the peer knows that it sent the message once.
        step.Reject(reason, quiet || reason == RejectReason.Replay);
        if (!quiet && reason != RejectReason.Replay) Reply(step, code + "You sent an unreadable encrypted message.");
    }

    /// <summary>A data message, decoded, whose fields do not fit.</summary>
    public static void OnMalformedData(in StepContext step, bool quiet, string code = "")
    {
        step.Reject(RejectReason.Malformed, quiet);
        if (!quiet) Reply(step, code + "You sent a malformed data message.");
    }

    /// <summary>
    /// A data message for another instance of ours. Where this instance of the peer has a session with us, it knows what it does.
    /// Else it may write in a session that we had before we were set up anew, and would go on for ever: it is told, but seldom, for
    /// another client of ours may be meant.
    /// </summary>
    public static void OnOtherInstance(in StepContext step, in MessageHeader header, bool quiet)
    {
        var state = step.State;
        var isKnown = state.Find(header.SenderTag) is { IsPrivate: true };
        var isTold = state.LastOtherInstance is { } last && !Timers.IsOver(step.Now, last, OtrLimits.OtherInstanceInterval);
        if (quiet || isKnown || isTold || !state.IsInvited)
        {
            step.Reject(RejectReason.OtherInstance, quiet: true);
            return;
        }
        state.LastOtherInstance = step.Now;
        step.Changed();
        step.Reject(RejectReason.OtherInstance);
        Reply(step, "You sent encrypted data for another session: if you have no other one with this contact, start a new one.");
    }

    /// <summary>
    /// A fragment for another instance of ours, to be treated as its message would be: networks of lines carry hardly any message whole.
    /// Only the first one can say that it is of a data message, and that its sender wants to know.
    /// </summary>
    /// <param name="run">What follows <c>?OTR:</c> in a first fragment; empty for anything else.</param>
    public static void OnFragmentForOther(in StepContext step, in Fragment fragment, ReadOnlySpan<byte> run)
    {
        var isTold = TryReadHead(run, out var header, out var flags) && (flags & MessageHeader.IgnoreUnreadable) == 0
            && step.State.Versions.Has(header.Version) && header.HasIdentifiedFragments == fragment.Identifier is not null
            && (header.SenderTag, header.ReceiverTag) == (fragment.SenderTag, fragment.ReceiverTag)
            && header.ReceiverTag >= MessageHeader.MinInstanceTag;
        OnOtherInstance(step, header, quiet: !isTold);
    }

    /// <summary>A fragment that the network cut: its message cannot be put together any more.</summary>
    /// <param name="run">What follows <c>?OTR:</c> in the first fragment of the message; empty if it is not known.</param>
    public static void OnCutFragment(in StepContext step, ReadOnlySpan<byte> run)
    {
        var isData = IsData(step, run, out var quiet);
        step.Reject(RejectReason.BadFragment, quiet);
        if (isData && !quiet) Reply(step, "You sent a malformed data message; your network may have cut it.");
        (step.State.CutAt, step.State.CutLength) = (step.Now, OfFragment);
        step.Changed();
    }

    /// <summary>An encoded message that cannot be decoded: cut by the network, as a rule.</summary>
    /// <param name="run">What follows <c>?OTR:</c>.</param>
    public static void OnUndecodable(in StepContext step, ReadOnlySpan<byte> run)
    {
        var isData = IsData(step, run, out var quiet);
        step.Reject(RejectReason.Malformed, quiet);
        if (isData && !quiet) Reply(step, "You sent a malformed data message; your network may have cut it.");
        if (run.Contains((byte)'.')) return;
        (step.State.CutAt, step.State.CutLength) = (step.Now, (byte)(run.Length % 4));
        step.Changed();
    }

    /// <summary>Longer than is taken in, at once or put together.</summary>
    /// <param name="run">What follows <c>?OTR:</c>; empty for anything else.</param>
    public static void OnTooLarge(in StepContext step, ReadOnlySpan<byte> run)
    {
        var isData = IsData(step, run, out var quiet);
        step.Reject(RejectReason.TooLarge, quiet);
        if (isData && !quiet) Reply(step, "You sent an encrypted message that is too large.");
    }

    /// <summary>
    /// Whether this text, which came without a marker, is what a network cut off a message just before. Then it is nothing for the user.
    /// </summary>
    public static bool IsCutRemainder(in StepContext step, ReadOnlySpan<byte> text)
    {
        var state = step.State;
        if (state.CutAt is not { } cut || Timers.IsOver(step.Now, cut, OtrLimits.CutRemainderInterval)) return false;
        text = text.Trim(" \t\r\n"u8);
        if (state.CutLength == OfFragment) return IsFragmentRemainder(step, text);
        var isEnd = text.EndsWith("."u8);
        var run = isEnd ? text[..^1] : text;
        var digits = run.TrimEnd((byte)'=');
        if (digits.IsEmpty || run.Length - digits.Length > 2 || digits.IndexOfAnyExcept(Base64Digits) >= 0) return false;
        // A word could be all of base64's letters: what is no whole end of the message has to be longer than words are.
        if (isEnd ? (state.CutLength + run.Length) % 4 != 0 : run.Length < OtrLimits.MinCutPiece) return false;
        state.CutAt = isEnd ? null : step.Now;
        state.CutLength = isEnd ? (byte)0 : (byte)((state.CutLength + run.Length) % 4);
        step.Changed();
        return true;
    }

    /// <summary>The rest of a fragment has any length, and ends with a comma; that of the last one with a point before it.</summary>
    private static bool IsFragmentRemainder(in StepContext step, ReadOnlySpan<byte> text)
    {
        var isEnd = text.EndsWith(","u8);
        var run = isEnd ? text[..^1] : text;
        var isLast = isEnd && run.EndsWith("."u8);
        if (isLast) run = run[..^1];
        var digits = run.TrimEnd((byte)'=');
        if (digits.IsEmpty || run.Length - digits.Length > 2 || digits.IndexOfAnyExcept(Base64Digits) >= 0) return false;
        if (run.Length < OtrLimits.MinCutPiece && !isLast && !(isEnd && IsNoWord(digits))) return false;
        step.State.CutAt = isEnd ? null : step.Now;
        step.Changed();
        return true;
    }

    /// <summary>Letters and figures mixed, as in base64 of some length and hardly in a word or a number.</summary>
    private static bool IsNoWord(ReadOnlySpan<byte> digits) =>
        digits.ContainsAnyInRange((byte)'a', (byte)'z') && digits.ContainsAnyInRange((byte)'A', (byte)'Z')
        && digits.IndexOfAny(Figures) >= 0;

    private static readonly System.Buffers.SearchValues<byte> Figures = System.Buffers.SearchValues.Create("0123456789+/"u8);

    private static readonly System.Buffers.SearchValues<byte> Base64Digits =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"u8);

    /// <summary>
    /// Whether this is the beginning of a data message. Quiet: its flags say that the sender does not care, or its tags that it is
    /// not for us.
    /// </summary>
    private static bool IsData(in StepContext step, ReadOnlySpan<byte> run, out bool quiet)
    {
        quiet = false;
        run = run.TrimStart(" \t\r\n"u8);
        var hasTags = run.StartsWith(Data3) || run.StartsWith(Data4);
        if (!hasTags && !run.StartsWith(Data2)) return false;
        if (!TryReadHead(run, out var header, out var flags)) return true;
        quiet = (flags & MessageHeader.IgnoreUnreadable) != 0 || (hasTags && header.ReceiverTag != step.OwnTag);
        return true;
    }

    /// <summary>Header and flags of what begins as a data message does; false if it is none, or cut before its flags.</summary>
    private static bool TryReadHead(ReadOnlySpan<byte> run, out MessageHeader header, out byte flags)
    {
        (header, flags) = (default, 0);
        run = run.TrimStart(" \t\r\n"u8);
        var hasTags = run.StartsWith(Data3) || run.StartsWith(Data4);
        var length = hasTags ? Head3 : Head2;
        if ((!hasTags && !run.StartsWith(Data2)) || run.Length < length) return false;
        Span<byte> head = stackalloc byte[Head3 / 4 * 3];
        if (Base64.DecodeFromUtf8(run[..length], head, out _, out var written) != System.Buffers.OperationStatus.Done) return false;
        var reader = new OtrReader(head[..written]);
        header = MessageHeader.Read(ref reader);
        flags = reader.ReadByte();
        return !reader.Failed;
    }

    /// <summary>Tells the peer; at most once per <see cref="OtrLimits.ErrorInterval"/>, and no stranger where none are answered.</summary>
    private static void Reply(in StepContext step, string text)
    {
        var state = step.State;
        if (!state.IsInvited || (state.LastError is { } last && !Timers.IsOver(step.Now, last, OtrLimits.ErrorInterval))) return;
        state.LastError = step.Now;
        step.Changed();
        byte[] error = [.. ErrorPrefix, .. Encoding.UTF8.GetBytes(text)];
        var limit = state.Settings.MaxWireBytes;
        // ASCII, and read by people: what the network does not take of it is left away.
        step.SendText(limit >= ErrorPrefix.Length && error.Length > limit ? error[..limit] : error);
    }
}
