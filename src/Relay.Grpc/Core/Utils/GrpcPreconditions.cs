namespace Grpc.Core.Utils;

/// <summary>Checks of arguments and state.</summary>
public static class GrpcPreconditions
{
    /// <summary>Throws <see cref="ArgumentException"/> unless <paramref name="condition"/>.</summary>
    public static void CheckArgument(bool condition)
    {
        if (!condition)
            throw new ArgumentException("The argument is not valid.");
    }

    /// <summary>Throws <see cref="ArgumentException"/> with a message unless <paramref name="condition"/>.</summary>
    public static void CheckArgument(bool condition, string errorMessage)
    {
        if (!condition)
            throw new ArgumentException(errorMessage);
    }

    /// <summary>Throws <see cref="ArgumentNullException"/> if <paramref name="reference"/> is null.</summary>
    public static T CheckNotNull<T>(T reference) => reference is null ? throw new ArgumentNullException(nameof(reference)) : reference;

    /// <summary>Throws <see cref="ArgumentNullException"/> with a name if <paramref name="reference"/> is null.</summary>
    public static T CheckNotNull<T>(T reference, string paramName) => reference is null ? throw new ArgumentNullException(paramName) : reference;

    /// <summary>Throws <see cref="InvalidOperationException"/> unless <paramref name="condition"/>.</summary>
    public static void CheckState(bool condition)
    {
        if (!condition)
            throw new InvalidOperationException();
    }

    /// <summary>Throws <see cref="InvalidOperationException"/> with a message unless <paramref name="condition"/>.</summary>
    public static void CheckState(bool condition, string errorMessage)
    {
        if (!condition)
            throw new InvalidOperationException(errorMessage);
    }
}
