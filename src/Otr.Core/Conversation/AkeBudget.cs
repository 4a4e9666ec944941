namespace Otr.Core;

/// <summary>
/// What the peer's key-exchange messages may cost: the conversation's own bound first, then the caller's for all its peers.
/// </summary>
internal readonly struct AkeBudget(ConversationState state, OtrEnvironment environment)
{
    /// <summary>
    /// Pays for one message, or says why not; then nothing has changed. A peer that is beyond its own bound must not use up
    /// what the others share.
    /// </summary>
    /// <param name="price">How many messages of the usual cost it is worth.</param>
    public RejectReason? Spend(int price = 1)
    {
        if (!state.AkeBudget.Has(environment.NowMilliseconds, price)) return RejectReason.RateLimited;
        var cost = state.Known.Count > 0 ? ComputeCost.KeyExchange : ComputeCost.StrangersKeyExchange;
        for (var i = 0; i < price; i++)
        {
            if (environment.Budget?.TrySpend(cost) == false) return RejectReason.Overloaded;
        }
        state.AkeBudget.TryTake(environment.NowMilliseconds, price);
        return null;
    }

    /// <summary>
    /// Pays for what a peer's DSA key costs beyond one of 1024 bits, which the message has paid for: the work grows with the square
    /// of its length.
    /// </summary>
    /// <param name="length">Bytes of p.</param>
    public RejectReason? SpendForKey(int length)
    {
        const int usual = 1024 / 8;
        var price = (length * length + usual * usual - 1) / (usual * usual) - 1;
        return price > 0 ? Spend(price) : null;
    }
}
