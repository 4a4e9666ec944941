using Google.Protobuf.Reflection;

namespace Grpc.Reflection;

/// <summary>The files of a set of services, with what they import, by name, by symbol and by extension.</summary>
public sealed class SymbolRegistry
{
    private readonly Dictionary<string, FileDescriptor> _filesByName = new(StringComparer.Ordinal);
    private readonly Dictionary<string, FileDescriptor> _filesBySymbol = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SortedDictionary<int, FileDescriptor>> _extensions = new(StringComparer.Ordinal);
    private readonly HashSet<string> _messages = new(StringComparer.Ordinal);

    private SymbolRegistry()
    {
    }

    /// <summary>A registry of <paramref name="files"/> and all that they import.</summary>
    public static SymbolRegistry FromFiles(IEnumerable<FileDescriptor> files)
    {
        ArgumentNullException.ThrowIfNull(files);
        var registry = new SymbolRegistry();
        foreach (FileDescriptor file in files)
            registry.Add(file);
        return registry;
    }

    /// <summary>The file with a name, or null.</summary>
    public FileDescriptor? FileByName(string filename) => _filesByName.GetValueOrDefault(filename);

    /// <summary>The file that declares a fully qualified name, or null.</summary>
    public FileDescriptor? FileContainingSymbol(string symbol) => _filesBySymbol.GetValueOrDefault(symbol);

    /// <summary>The file that declares an extension, or null.</summary>
    public FileDescriptor? FileContainingExtension(string containingType, int number) =>
        _extensions.TryGetValue(containingType, out var numbers) ? numbers.GetValueOrDefault(number) : null;

    /// <summary>The numbers of the extensions of a message, in order; null if there is no such message.</summary>
    public IReadOnlyList<int>? ExtensionNumbers(string messageType)
    {
        if (_extensions.TryGetValue(messageType, out var numbers))
            return [.. numbers.Keys];
        return _messages.Contains(messageType) ? [] : null;
    }

    private void Add(FileDescriptor file)
    {
        if (!_filesByName.TryAdd(file.Name, file))
            return;
        foreach (FileDescriptor dependency in file.Dependencies)
            Add(dependency);
        foreach (ServiceDescriptor service in file.Services)
        {
            AddSymbol(service);
            foreach (MethodDescriptor method in service.Methods)
                AddSymbol(method);
        }
        foreach (EnumDescriptor type in file.EnumTypes)
            Add(type);
        foreach (MessageDescriptor message in file.MessageTypes)
            Add(message);
        foreach (FieldDescriptor extension in file.Extensions.UnorderedExtensions)
            AddExtension(extension);
    }

    private void Add(MessageDescriptor message)
    {
        AddSymbol(message);
        _messages.Add(message.FullName);
        foreach (FieldDescriptor field in message.Fields.InDeclarationOrder())
            AddSymbol(field);
        foreach (OneofDescriptor oneof in message.Oneofs)
            AddSymbol(oneof);
        foreach (EnumDescriptor type in message.EnumTypes)
            Add(type);
        foreach (MessageDescriptor nested in message.NestedTypes)
            Add(nested);
        foreach (FieldDescriptor extension in message.Extensions.UnorderedExtensions)
            AddExtension(extension);
    }

    private void Add(EnumDescriptor type)
    {
        AddSymbol(type);
        foreach (EnumValueDescriptor value in type.Values)
            AddSymbol(value);
    }

    private void AddExtension(FieldDescriptor extension)
    {
        AddSymbol(extension);
        if (!_extensions.TryGetValue(extension.ExtendeeType.FullName, out var numbers))
            _extensions[extension.ExtendeeType.FullName] = numbers = [];
        numbers[extension.FieldNumber] = extension.File;
    }

    private void AddSymbol(IDescriptor descriptor) => _filesBySymbol[descriptor.FullName] = descriptor.File;
}
