namespace Otr.Core.Tests.Kit;

/// <summary>A budget that says what the test wants, and remembers what it was asked for.</summary>
internal sealed class TestBudget(Func<ComputeCost, bool> answer) : IComputeBudget
{
    public static TestBudget Empty => new(_ => false);

    public static TestBudget Full => new(_ => true);

    public List<ComputeCost> Asked { get; } = [];

    public bool TrySpend(ComputeCost cost)
    {
        Asked.Add(cost);
        return answer(cost);
    }
}
