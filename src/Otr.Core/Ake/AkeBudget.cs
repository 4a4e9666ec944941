namespace Otr.Core.Ake;

/// <summary>What the peer's key-exchange messages may cost: the conversation's own bound first, then the caller's for all its peers.</summary>
internal readonly struct AkeBudget(ConversationState state, OtrEnvironment environment)
{
    /// <summary>
    /// Pays for one message, or says why not; then nothing has changed. A peer that is beyond its own bound must not use up
    /// what the others share.
    /// </summary>
    public RejectReason? Spend()
    {
        if (!state.AkeBudget.Has(environment.NowMilliseconds)) return RejectReason.RateLimited;
        var cost = state.Known.Count > 0 ? ComputeCost.KeyExchange : ComputeCost.StrangersKeyExchange;
        if (environment.Budget?.TrySpend(cost) == false) return RejectReason.Overloaded;
        state.AkeBudget.TryTake(environment.NowMilliseconds);
        return null;
    }
}
