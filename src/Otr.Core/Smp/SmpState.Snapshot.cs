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
    public static bool TryReadSnapshot(ref OtrReader reader, SmpArithmetic arithmetic, [NotNullWhen(true)] out SmpState? state)
    {
        state = null;
        var phase = (SmpPhase)reader.ReadByte();
        if (reader.Failed || phase > SmpPhase.ExpectMessage4) return false;
        if (phase == SmpPhase.ExpectMessage1)
        {
            state = new SmpState(arithmetic);
            return true;
        }
        var question = reader.ReadByte();
        var token = reader.ReadUInt64();
        var kept = reader.ReadFixed(arithmetic.KeptSize(phase));
        if (reader.Failed || question > 1 || !arithmetic.IsKept(phase, kept)) return false;
        state = new SmpState(arithmetic) { Phase = phase, _questionAsked = question == 1, _token = token, _kept = new SecretBytes(kept) };
        return true;
    }
}
