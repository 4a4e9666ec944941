using Otr.Core.Wire;

namespace Otr.Core;

/// <summary>
/// Fragments: one buffer for each instance that sends them, in version 4 for each message; all together bounded (checklist A15, C13.8).
/// </summary>
internal static class FragmentedText
{
    /// <summary>Bytes of a message by which its type, tags and flags are told.</summary>
    private const int MaxStart = 32;

    public static void Receive(in StepContext step, ReadOnlySpan<byte> body)
    {
        if (!Fragment.TryParse(body, out var fragment))
        {
            if (Fragment.TryParseCut(body, out var cut)) OnCut(step, cut);
            else step.Reject(RejectReason.BadFragment);
            return;
        }
        if (fragment.Version > 2 && !IsForUs(step, fragment)) return;
        if (fragment.Identifier is { } identifier)
        {
            ReceiveIdentified(step, fragment, identifier);
            return;
        }

        if (Buffer(step, fragment) is not { } buffer) return;
        var touched = buffer.Touched;
        // Adding what does not fit wipes the pieces; what they began is told by the first of them.
        Span<byte> start = stackalloc byte[MaxStart];
        start = start[..Math.Min(buffer.Length, MaxStart)];
        buffer.Text[..start.Length].CopyTo(start);
        var outcome = buffer.Add(fragment, step.Now, Room(step.State, buffer));
        if (outcome == FragmentOutcome.Complete)
        {
            OnComplete(step, buffer, fragment, touched);
            return;
        }
        step.Changed();
        switch (outcome)
        {
            case FragmentOutcome.Stored:
                step.Add(new OtrEffect.Noted(NoteKind.FragmentStored));
                break;
            case FragmentOutcome.OutOfOrder:
                step.State.Fragments.Remove(buffer);
                step.Reject(RejectReason.BadFragment);
                break;
            case FragmentOutcome.TooLarge:
                step.State.Fragments.Remove(buffer);
                Unreadable.OnTooLarge(step, EncodedRun(start.IsEmpty ? fragment.Piece : start));
                break;
            case FragmentOutcome.Ignored:
                break;
        }
    }

    /// <summary>One that the network cut. What it is of is told by the first piece, which may be this one.</summary>
    private static void OnCut(in StepContext step, in Fragment cut)
    {
        var (version, senderTag, identifier) = (cut.Version, cut.SenderTag, cut.Identifier);
        if (version > 2 && !IsForUs(step, cut)) return;
        var start = cut.Piece;
        if (cut.Index > 1)
        {
            start = identifier is not null
                ? step.State.FragmentSets.Find(s => s.SenderTag == senderTag && s.Identifier == identifier)?.Pieces.GetValueOrDefault((ushort)1)
                : step.State.Fragments.Find(b => b.Version == version && b.SenderTag == senderTag) is { } buffer ? buffer.Text : default;
        }
        Unreadable.OnCutFragment(step, EncodedRun(start));
    }

    private static ReadOnlySpan<byte> EncodedRun(ReadOnlySpan<byte> text) =>
        text.StartsWith(WireClassifier.Encoded) ? text[WireClassifier.Encoded.Length..] : default;

    /// <summary>A whole message came in between: what was begun is given up (spec v3, "Receiving Fragments").</summary>
    public static void ForgetAll(in StepContext step)
    {
        if (step.State.Fragments.Count == 0) return;
        foreach (var buffer in step.State.Fragments) buffer.Reset();
        step.State.Fragments.Clear();
        step.Changed();
    }

    /// <summary>The same, for one sender.</summary>
    public static void Forget(in StepContext step, uint senderTag)
    {
        var fragments = step.State.Fragments;
        for (var i = fragments.Count - 1; i >= 0; i--)
        {
            if (fragments[i].SenderTag != senderTag) continue;
            fragments[i].Reset();
            fragments.RemoveAt(i);
            step.Changed();
        }
    }

    private static bool IsForUs(in StepContext step, in Fragment fragment)
    {
        if (fragment.SenderTag < MessageHeader.MinInstanceTag) step.Reject(RejectReason.InvalidInstanceTag);
        else if (fragment.ReceiverTag != 0 && fragment.ReceiverTag != step.OwnTag)
            Unreadable.OnFragmentForOther(step, fragment, fragment.Index == 1 ? EncodedRun(fragment.Piece) : default);
        else return true;
        return false;
    }

    /// <summary>
    /// What the pieces make is taken as if it had come whole; only a fragment is not cut into fragments. libotr cuts its
    /// query and its tagged text, too, where the network's limit asks for it.
    /// </summary>
    /// <param name="touched">When the piece before the last came.</param>
    private static void OnComplete(in StepContext step, FragmentBuffer buffer, in Fragment fragment, long touched)
    {
        var whole = buffer.Text.ToArray();
        IncomingText.ReceiveAssembled(step, whole, new FragmentOrigin(fragment.SenderTag, HasIdentifier: false));
        if (step.State.IsPostponed && fragment.Index > 1)
        {
            // The last piece will come again, and needs the others then.
            buffer.TakeBack(fragment, touched);
            return;
        }
        buffer.Reset();
        step.State.Fragments.Remove(buffer);
        step.Changed();
    }

    /// <summary>
    /// A piece of a message that it names. Any order will do, and nothing else that comes gives the others up: a forged piece must not kill
    /// a message.
    /// </summary>
    private static void ReceiveIdentified(in StepContext step, in Fragment fragment, uint identifier)
    {
        var state = step.State;
        var senderTag = fragment.SenderTag;
        if (fragment.Piece.IsEmpty || !state.Allowed.Has(fragment.Version))
        {
            step.Reject(RejectReason.BadFragment);
            return;
        }
        var set = state.FragmentSets.Find(s => s.SenderTag == senderTag && s.Identifier == identifier);
        if (set is not null && set.Count != fragment.Count)
        {
            step.Reject(RejectReason.BadFragment);
            return;
        }
        if (set is null)
        {
            if (state.FragmentSets.Count >= OtrLimits.MaxFragmentSets) Drop(step, state.FragmentSets.MinBy(s => s.Since)!);
            state.FragmentSets.Add(set = new FragmentSet(senderTag, identifier, fragment.Count, step.Now));
        }
        if (!set.TryAdd(fragment, Room(state, null) - state.FragmentSets.Sum(s => s.Length)))
        {
            if (set.Holds(fragment.Index)) return;
            Drop(step, set);
            Unreadable.OnTooLarge(step, EncodedRun(fragment.Piece));
            return;
        }
        step.Changed();
        if (!set.IsComplete)
        {
            step.Add(new OtrEffect.Noted(NoteKind.FragmentStored));
            return;
        }
        IncomingText.ReceiveAssembled(step, set.Assemble(), new FragmentOrigin(senderTag, HasIdentifier: true));
        // The last piece will come again, and needs the others then.
        if (step.State.IsPostponed && set.Held > 1) set.TakeBack(fragment.Index);
        else Drop(step, set);
    }

    /// <summary>Forgets and wipes a message of which pieces have come.</summary>
    public static void Drop(in StepContext step, FragmentSet set)
    {
        set.Reset();
        step.State.FragmentSets.Remove(set);
        step.Changed();
    }

    /// <summary>
    /// Bytes that the buffer may hold. All together are bounded, and so is what is written for them: the state is stored
    /// with each piece, so that very many pieces may only make a short message.
    /// </summary>
    private static int Room(ConversationState state, FragmentBuffer? buffer)
    {
        int bytes = 0, pieces = 1;
        foreach (var b in state.Fragments)
        {
            if (b != buffer) bytes += b.Length;
            pieces += b.Held;
        }
        foreach (var s in state.FragmentSets)
        {
            if (buffer is not null) bytes += s.Length;
            pieces += s.Held;
        }
        return (int)Math.Min(OtrLimits.MaxWireBytes, OtrLimits.MaxFragmentWork / pieces) - bytes;
    }

    /// <summary>The sender's buffer. Only a first piece makes one, for which the oldest of the others may have to go.</summary>
    private static FragmentBuffer? Buffer(in StepContext step, in Fragment fragment)
    {
        var state = step.State;
        var (version, senderTag) = (fragment.Version, fragment.SenderTag);
        var buffer = state.Fragments.Find(b => b.Version == version && b.SenderTag == senderTag);
        if (buffer is not null) return buffer;
        if (fragment.Piece.IsEmpty) return null;
        if (fragment.Index != 1)
        {
            step.Reject(RejectReason.BadFragment);
            return null;
        }
        if (state.Fragments.Count >= OtrLimits.MaxInstances)
        {
            var oldest = state.Fragments.MinBy(b => b.Touched)!;
            oldest.Reset();
            state.Fragments.Remove(oldest);
        }
        buffer = new FragmentBuffer(version, senderTag);
        state.Fragments.Add(buffer);
        return buffer;
    }
}
