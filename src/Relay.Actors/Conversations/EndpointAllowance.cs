using Otr.Core;
using Relay.Actors.Endpoints;

namespace Relay.Actors.Conversations;

/// <summary>The endpoint's budget during one turn.</summary>
internal sealed class EndpointAllowance(ComputeBudgets budgets, string endpointId) : IComputeBudget
{
    /// <summary>The cost that was refused last.</summary>
    public ComputeCost Refused { get; private set; }

    public bool TrySpend(ComputeCost cost)
    {
        if (budgets.TrySpend(endpointId, cost)) return true;
        Refused = cost;
        return false;
    }
}
