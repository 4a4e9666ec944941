using System.Buffers;
using Otr.Core.Tests.Conversations;
using Otr.Core.V3;

namespace Otr.Core.Tests.Kit;

/// <summary>What a party remembers, as bytes that two moments can be compared by.</summary>
internal static class StateView
{
    /// <summary>
    /// The snapshot without what an unauthenticated message may touch: the budgets that pay for its computations, the
    /// limiters of error replies, that a message was cut, and the note that the peer speaks OTR.
    /// </summary>
    public static string Of(Party party) => Convert.ToHexString(Bytes(party, state =>
    {
        state.AkeBudget.Restore(0, 0);
        state.SmpBudget.Restore(0, 0);
        (state.LastError, state.LastOtherInstance) = (null, null);
        (state.CutAt, state.CutLength) = (null, 0);
        state.Offer = OfferState.Accepted;
    }));

    /// <summary>The party's state, changed behind its back.</summary>
    public static byte[] Bytes(Party party, Action<ConversationState> change)
    {
        using var state = ConversationSnapshot.TryRead(party.Snapshot(), party.Account, party.Settings)!;
        change(state);
        var buffer = new ArrayBufferWriter<byte>();
        ConversationSnapshot.Write(state, buffer);
        return buffer.WrittenSpan.ToArray();
    }

    extension(Session session)
    {
        /// <summary>The key ring of a session of version 2 or 3; null without one.</summary>
        public KeyRing? Keys => (session.Protocol as V3Session)?.Keys;
    }

    /// <summary>What <paramref name="look"/> sees in the party's state.</summary>
    public static T Look<T>(this Party party, Func<ConversationState, T> look)
    {
        using var state = ConversationSnapshot.TryRead(party.Snapshot(), party.Account, party.Settings)!;
        return look(state);
    }
}
