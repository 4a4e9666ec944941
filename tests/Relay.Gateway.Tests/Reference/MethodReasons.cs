using System.Reflection;
using System.Reflection.Emit;
using Grpc.Core.Interceptors;
using Relay.Gateway.Api;

namespace Relay.Gateway.Tests.Reference;

/// <summary>
/// Which reasons a method can give, read from the compiled code: the constants of <see cref="Reasons"/> in everything that the method calls
/// within the gateway. The refusals of a conversation are told apart, because every command shares their translation.
/// </summary>
internal sealed class MethodReasons
{
    private static readonly Dictionary<short, OpCode> s_codes = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(f => (OpCode)f.GetValue(null)!).ToDictionary(c => c.Value);
    private static readonly Assembly s_gateway = typeof(Reasons).Assembly;
    private static readonly MethodInfo s_refused = typeof(Reasons).Assembly.GetType("Relay.Gateway.Api.Replies", true)!
        .GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
        .Single(m => m.GetParameters() is [{ ParameterType.Name: "RefusalReason" }, ..]);

    private const BindingFlags All =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    public static IReadOnlyDictionary<string, string> Values { get; } = typeof(Reasons).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Where(f => f.Name != nameof(Reasons.Domain)).ToDictionary(f => (string)f.GetRawConstantValue()!, f => f.Name);

    /// <summary>Reasons that any method can give: those of the interceptors and of the authentication.</summary>
    public static IReadOnlySet<string> OfAll { get; } = Walk(s_gateway.GetTypes()
        .Where(t => t.IsSubclassOf(typeof(Interceptor)) && t.Name is not "AuditInterceptor" || t.Name is "RelayAuthenticationHandler")
        .SelectMany(t => t.GetMethods(All)).Cast<MethodBase>()).Reasons;

    /// <summary>Reasons by which a command is refused in its conversation's state.</summary>
    public static IReadOnlySet<string> OfRefusals { get; } = Walk([s_refused]).Reasons;

    /// <summary>The reasons of one method, and whether its conversation may refuse it besides.</summary>
    public static (IReadOnlySet<string> Reasons, bool IsRefusable) Of(string service, string method)
    {
        var type = s_gateway.GetType($"Relay.Gateway.Services.{service}", true)!;
        return Walk([type.GetMethod(method, All) ?? throw new InvalidOperationException($"{service} has no {method}.")]);
    }

    private static (HashSet<string> Reasons, bool IsRefusable) Walk(IEnumerable<MethodBase> from)
    {
        var (reasons, seen, isRefusable) = (new HashSet<string>(), new HashSet<MethodBase>(), false);
        var open = new Stack<MethodBase>(from);
        var roots = open.ToHashSet();
        while (open.TryPop(out var method))
        {
            if (!seen.Add(method)) continue;
            if (method == s_refused && !roots.Contains(method))
            {
                isRefusable = true;
                continue;
            }
            foreach (var (text, called) in Read(method))
            {
                if (text is not null && Values.ContainsKey(text)) reasons.Add(text);
                if (called?.DeclaringType is not { } type || type.Assembly != s_gateway) continue;
                open.Push(called);
                // A state machine or a closure has its code in methods that nobody names here.
                if (called.IsConstructor && type.Name.Contains('<', StringComparison.Ordinal))
                    foreach (var inner in type.GetMethods(All)) open.Push(inner);
            }
        }
        return (reasons, isRefusable);
    }

    /// <summary>The strings that a method loads, and the methods that it names.</summary>
    private static IEnumerable<(string? Text, MethodBase? Called)> Read(MethodBase method)
    {
        foreach (var attribute in method.GetCustomAttributes<System.Runtime.CompilerServices.StateMachineAttribute>())
            foreach (var inner in attribute.StateMachineType.GetMethods(All)) yield return (null, inner);
        if (method.GetMethodBody()?.GetILAsByteArray() is not { } il) yield break;
        var ofType = method.DeclaringType is { IsGenericType: true } type ? type.GetGenericArguments() : null;
        var ofMethod = method.IsGenericMethod ? method.GetGenericArguments() : null;
        for (int i = 0; i < il.Length;)
        {
            short value = il[i++];
            if (value == 0xFE) value = (short)(0xFE00 | il[i++]);
            var code = s_codes[value];
            if (code.OperandType == OperandType.InlineString) yield return (method.Module.ResolveString(BitConverter.ToInt32(il, i)), null);
            if (code.OperandType is OperandType.InlineMethod or OperandType.InlineTok
                && Resolve(method.Module, BitConverter.ToInt32(il, i), ofType, ofMethod) is { } called) yield return (null, called);
            i += code.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + 4 * BitConverter.ToInt32(il, i),
                _ => 4,
            };
        }
    }

    private static MethodBase? Resolve(Module module, int token, Type[]? ofType, Type[]? ofMethod) =>
        module.ResolveMember(token, ofType, ofMethod) is MethodBase found
            ? found is MethodInfo { IsGenericMethod: true } generic ? generic.GetGenericMethodDefinition() : found
            : null;
}
