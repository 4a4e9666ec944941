using System.Reflection;
using System.Text;

namespace Architecture.Tests;

/// <summary>
/// What client authors may lean on, written down beside the project as PublicAPI.txt: a change of it is seen in review.
/// To accept one, run the tests once with RELAY_ACCEPT_API=1 and commit the file.
/// </summary>
public sealed class PublicApiTests
{
    [Theory]
    [InlineData("Otr.Core")]
    [InlineData("Relay.Client")]
    public void Public_api_is_the_one_written_down(string project)
    {
        var file = Path.Combine(Repository.Root, "src", project, "PublicAPI.txt");
        var actual = Describe(Assembly.LoadFrom(Path.Combine(AppContext.BaseDirectory, project + ".dll")));
        if (Environment.GetEnvironmentVariable("RELAY_ACCEPT_API") == "1") File.WriteAllText(file, actual);
        Assert.Equal(File.ReadAllText(file), actual);
    }

    /// <summary>A public member that hands out a live array or span of a secret could be kept or changed by anyone.</summary>
    [Fact]
    public void Otr_Core_hands_out_no_mutable_secret()
    {
        var assembly = Assembly.LoadFrom(Path.Combine(AppContext.BaseDirectory, "Otr.Core.dll"));
        var suspects = assembly.GetExportedTypes().SelectMany(t => t.GetProperties(Public))
            .Where(p => p.PropertyType == typeof(byte[]) || p.PropertyType == typeof(Memory<byte>) || p.PropertyType == typeof(Span<byte>))
            .Select(p => $"{p.DeclaringType!.Name}.{p.Name}");
        // The extra key is the caller's own copy, to use and to wipe.
        Assert.Equal(["ExtraKey.Key"], suspects);
    }

    private const BindingFlags Public = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static string Describe(Assembly assembly)
    {
        var text = new StringBuilder();
        foreach (var type in assembly.GetExportedTypes().Where(t => !t.Namespace!.StartsWith("Relay.V1", StringComparison.Ordinal)).OrderBy(t => t.FullName, StringComparer.Ordinal))
        {
            text.Append(type.FullName).Append(type.BaseType is { } b && b != typeof(object) && b != typeof(ValueType) ? $" : {Name(b)}" : "").Append('\n');
            var members = type.GetMembers(Public)
                .Where(m => m is not MethodInfo { IsSpecialName: true } and not Type && m.GetCustomAttribute<System.Runtime.CompilerServices.CompilerGeneratedAttribute>() is null)
                .Select(Describe).Where(l => l.Length > 0).Order(StringComparer.Ordinal);
            foreach (var member in members) text.Append("  ").Append(member).Append('\n');
        }
        return text.ToString();
    }

    private static string Describe(MemberInfo member) => member switch
    {
        ConstructorInfo c => $"new({Parameters(c)})",
        MethodInfo m => $"{(m.IsStatic ? "static " : "")}{Name(m.ReturnType)} {m.Name}({Parameters(m)})",
        PropertyInfo p => $"{Name(p.PropertyType)} {p.Name} {{{(p.GetMethod?.IsPublic == true ? " get;" : "")}{(p.SetMethod?.IsPublic == true ? " set;" : "")} }}",
        FieldInfo { IsLiteral: true } f => $"const {Name(f.FieldType)} {f.Name} = {f.GetRawConstantValue()}",
        FieldInfo f => $"{Name(f.FieldType)} {f.Name}",
        EventInfo e => $"event {Name(e.EventHandlerType!)} {e.Name}",
        _ => "",
    };

    private static string Parameters(MethodBase method) =>
        string.Join(", ", method.GetParameters().Select(p => $"{(p.IsOut ? "out " : p.ParameterType.IsByRef ? "ref " : "")}{Name(p.ParameterType)} {p.Name}"));

    private static string Name(Type type)
    {
        if (type.IsByRef) return Name(type.GetElementType()!);
        if (type.IsArray) return Name(type.GetElementType()!) + "[]";
        if (!type.IsGenericType) return type.Name;
        return type.Name.Split('`')[0] + "<" + string.Join(", ", type.GetGenericArguments().Select(Name)) + ">";
    }
}
