namespace Otr.Core;

/// <summary>What a completed key exchange leads to, in any version: a session, or a refusal.</summary>
internal static class NewSession
{
    /// <summary>Why an exchange that showed this key cannot become a session; null if it can, and then there is room.</summary>
    public static RejectReason? Refusal(in StepContext step, Session session, Fingerprint shown)
    {
        if (!Trust.MayTakeOver(step.State, session, shown)) return RejectReason.KeyChanged;
        return SessionRoom.TryMake(step, session, shown) ? null : RejectReason.NoRoom;
    }

    /// <summary>The exchange is complete: everything of an earlier session is replaced and wiped.</summary>
    public static void Establish(
        in StepContext step, Session session, SessionProtocol protocol, Fingerprint peer, ulong ssid, bool firstHalfBold)
    {
        var state = step.State;
        if (session.Protocol is { } earlier)
        {
            protocol.TakeReveals(earlier);
            earlier.Dispose();
        }
        session.Protocol = protocol;
        session.State = MessageState.Encrypted;
        session.Version = protocol.Version;
        session.Ssid = ssid;
        session.FirstHalfBold = firstHalfBold;
        session.LastSent = session.LastReceived = step.Now;
        session.LastText = null;
        session.Peer = peer;

        var (isNew, isChanged, trust) = Trust.Seen(state, peer);
        state.PinnedVersion = Math.Max(state.PinnedVersion, protocol.Version);
        state.RetryAt = null;

        if (isNew || isChanged) step.Add(new OtrEffect.FingerprintSeen(peer, isNew, isChanged, trust));
        step.Add(new OtrEffect.SessionChanged(session.Info(step.OwnTag), SessionCause.KeyExchange));
        Resending.Complete(step, session);
        Requests.SendHeld(step, session);
    }
}
