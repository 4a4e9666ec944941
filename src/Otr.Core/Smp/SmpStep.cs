namespace Otr.Core.Smp;

/// <summary>What one input to <see cref="SmpState"/> asks for; to be carried out in the order of the members.</summary>
internal sealed record SmpStep
{
    /// <summary>Send <see cref="SmpTlv.Abort"/> first, in a data message before that of <see cref="Send"/>: a run was replaced.</summary>
    public bool AbortFirst { get; init; }

    /// <summary>The TLV to send, if any.</summary>
    public SmpTlv? Send { get; init; }

    /// <summary>What to tell the user, or null if there is nothing to tell.</summary>
    public SmpOutcome? Outcome { get; init; }

    /// <summary>25 for each of the four messages sent or taken in; 100 with success and failure, 0 with every other end.</summary>
    public int ProgressPercent { get; init; }

    /// <summary>Success that proves only the responder's knowledge: a question was used and we answered it.</summary>
    public bool OneWay { get; init; }

    /// <summary>The run was the peer's and had a question: its result says nothing of the peer's identity.</summary>
    public bool AnsweredQuestion { get; init; }

    /// <summary>The peer's request that now waits for our secret.</summary>
    public SmpRequest? Request { get; init; }

    /// <summary>Why a local request was refused; nothing changed then.</summary>
    public RefusalReason? Refusal { get; init; }
}

/// <summary>The peer started SMP.</summary>
/// <param name="Token">To be given with the answer.</param>
/// <param name="Question">Untrusted bytes, UTF-8 if the peer is honest, without U+0000; null if none was sent.</param>
internal sealed record SmpRequest(ulong Token, byte[]? Question)
{
    /// <summary>Prints the token only.</summary>
    public override string ToString() => $"SmpRequest {{ {Token} }}";
}
