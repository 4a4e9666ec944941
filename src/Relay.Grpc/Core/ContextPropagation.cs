namespace Grpc.Core;

/// <summary>What a call made for another call takes over from it.</summary>
public class ContextPropagationOptions
{
    /// <summary>Takes over both unless told otherwise.</summary>
    public static readonly ContextPropagationOptions Default = new();

    /// <summary>Chooses what is taken over.</summary>
    public ContextPropagationOptions(bool propagateDeadline = true, bool propagateCancellation = true)
    {
        IsPropagateDeadline = propagateDeadline;
        IsPropagateCancellation = propagateCancellation;
    }

    /// <summary>Whether the deadline is taken over.</summary>
    public bool IsPropagateDeadline { get; }

    /// <summary>Whether cancellation is taken over.</summary>
    public bool IsPropagateCancellation { get; }
}

/// <summary>Carries the context of a server call to a client call.</summary>
public abstract class ContextPropagationToken
{
    internal ContextPropagationToken()
    {
    }
}

/// <summary>The one kind of token that there is.</summary>
internal sealed class PropagationToken(DateTime? deadline, CancellationToken cancellationToken) : ContextPropagationToken
{
    public DateTime? Deadline { get; } = deadline;

    public CancellationToken CancellationToken { get; } = cancellationToken;
}
