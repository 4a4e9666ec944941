namespace Grpc.Core;

/// <summary>On a generated service base: names the static method that binds the service to a <see cref="ServiceBinderBase"/>.</summary>
[AttributeUsage(AttributeTargets.Class)]
public class BindServiceMethodAttribute : Attribute
{
    /// <summary>Names the method.</summary>
    public BindServiceMethodAttribute(Type bindType, string bindMethodName)
    {
        BindType = bindType ?? throw new ArgumentNullException(nameof(bindType));
        BindMethodName = bindMethodName ?? throw new ArgumentNullException(nameof(bindMethodName));
    }

    /// <summary>The type that has the method.</summary>
    public Type BindType { get; }

    /// <summary>The method: <c>(ServiceBinderBase, TServiceBase)</c>.</summary>
    public string BindMethodName { get; }
}
