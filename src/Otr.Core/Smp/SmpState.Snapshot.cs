using System.Diagnostics.CodeAnalysis;
using Otr.Core.Crypto;
using Otr.Core.Wire;

namespace Otr.Core.Smp;

// Phase (1); if a run is going on: question asked (1), token (8), then what the phase keeps, whose length the phase tells.
// The conversation's snapshot around it has the version and the seal.
internal sealed partial class SmpState
{
    /// <summary>Appends the state, secrets included.</summary>
    public void WriteSnapshot(ref OtrWriter writer)
    {
        writer.Byte((byte)Phase);
        if (!InProgress) return;
        writer.Byte(_questionAsked ? (byte)1 : (byte)0);
        writer.UInt64(_token);
        writer.Raw(_kept!.Span);
    }

    /// <summary>Reads a state back, leaving <paramref name="reader"/> behind it. False if it is damaged.</summary>
    public static bool TryReadSnapshot(ref OtrReader reader, [NotNullWhen(true)] out SmpState? state)
    {
        state = null;
        var phase = (SmpPhase)reader.ReadByte();
        if (reader.Failed || KeptSize(phase) is not { } size) return false;
        if (phase == SmpPhase.ExpectMessage1)
        {
            state = new SmpState();
            return true;
        }
        var question = reader.ReadByte();
        var token = reader.ReadUInt64();
        var kept = reader.ReadFixed(size);
        if (reader.Failed || question > 1 || !ElementsInRange(phase, kept)) return false;
        state = new SmpState { Phase = phase, _questionAsked = question == 1, _token = token, _kept = new SecretBytes(kept) };
        return true;
    }

    private static int? KeptSize(SmpPhase phase) => phase switch
    {
        SmpPhase.ExpectMessage1 => 0,
        SmpPhase.WaitingForSecret => SmpResponder.WaitingForSecretSize,
        SmpPhase.ExpectMessage2 => SmpInitiator.ExpectMessage2Size,
        SmpPhase.ExpectMessage3 => SmpResponder.ExpectMessage3Size,
        SmpPhase.ExpectMessage4 => SmpInitiator.ExpectMessage4Size,
        _ => null,
    };

    // The arithmetic is defined for elements only; what a phase keeps before its elements are exponents of any value.
    private static bool ElementsInRange(SmpPhase phase, ReadOnlySpan<byte> kept)
    {
        var elements = phase switch
        {
            SmpPhase.WaitingForSecret => kept,
            SmpPhase.ExpectMessage3 or SmpPhase.ExpectMessage4 => kept[Group1536.ElementSize..],
            _ => default,
        };
        for (; !elements.IsEmpty; elements = elements[Group1536.ElementSize..])
            if (!Group1536.IsInRange(elements[..Group1536.ElementSize])) return false;
        return true;
    }
}
