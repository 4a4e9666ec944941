using Google.Api;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Relay.Gateway.OpenApi;

/// <summary>The API as its protos define it, with the comments that the generated code lacks.</summary>
public sealed class ApiDescription
{
    private const string Resource = "relay.v1.descriptors";
    private const string Package = ".relay.v1";
    // Field numbers in descriptor.proto, of which the paths of comments are made.
    private const int OfMessages = 4, OfEnums = 5, OfServices = 6;
    private const int OfFields = 2, OfNestedMessages = 3, OfNestedEnums = 4, OfMethods = 2, OfValues = 2;

    private readonly Dictionary<string, DescriptorProto> _messages = [];
    private readonly Dictionary<string, EnumDescriptorProto> _enums = [];
    private readonly Dictionary<object, string> _comments = new(ReferenceEqualityComparer.Instance);

    private ApiDescription(FileDescriptorSet files)
    {
        foreach (var file in files.File.Where(f => "." + f.Package == Package).OrderBy(f => f.Name, StringComparer.Ordinal))
        {
            var comments = file.SourceCodeInfo.Location.Where(l => l.LeadingComments.Length > 0)
                .ToDictionary(l => string.Join('.', l.Path), l => Clean(l.LeadingComments));
            void Note(object described, string path)
            {
                if (comments.TryGetValue(path, out var comment)) _comments[described] = comment;
            }
            for (int i = 0; i < file.Service.Count; i++)
            {
                Note(file.Service[i], $"{OfServices}.{i}");
                for (int j = 0; j < file.Service[i].Method.Count; j++)
                    Note(file.Service[i].Method[j], $"{OfServices}.{i}.{OfMethods}.{j}");
                Services.Add(file.Service[i]);
            }
            for (int i = 0; i < file.MessageType.Count; i++) AddMessage(file.MessageType[i], Package, $"{OfMessages}.{i}", Note);
            for (int i = 0; i < file.EnumType.Count; i++) AddEnum(file.EnumType[i], Package, $"{OfEnums}.{i}", Note);
        }
    }

    public List<ServiceDescriptorProto> Services { get; } = [];

    /// <summary>Reads the descriptors that the build has put into this assembly.</summary>
    public static ApiDescription Load()
    {
        using var stream = typeof(ApiDescription).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"The resource {Resource} is missing: the build did not make it.");
        var parser = FileDescriptorSet.Parser.WithExtensionRegistry([AnnotationsExtensions.Http]);
        return new ApiDescription(parser.ParseFrom(stream));
    }

    /// <param name="name">As a field names its type: <c>.relay.v1.Endpoint</c>.</param>
    public DescriptorProto? Message(string name) => _messages.GetValueOrDefault(name);

    /// <inheritdoc cref="Message"/>
    public EnumDescriptorProto Enum(string name) => _enums[name];

    /// <summary>The comment above a service, method, message, field, enum or value; empty if there is none.</summary>
    public string Comment(object described) => _comments.GetValueOrDefault(described, "");

    /// <summary>The routes of a method over HTTP, the first one first; none for a stream.</summary>
    public static IEnumerable<HttpRule> Routes(MethodDescriptorProto method)
    {
        if (method.Options?.GetExtension(AnnotationsExtensions.Http) is not { } rule) return [];
        return [rule, .. rule.AdditionalBindings];
    }

    private void AddMessage(DescriptorProto message, string parent, string path, Action<object, string> note)
    {
        var name = $"{parent}.{message.Name}";
        _messages.Add(name, message);
        note(message, path);
        for (int i = 0; i < message.Field.Count; i++) note(message.Field[i], $"{path}.{OfFields}.{i}");
        for (int i = 0; i < message.NestedType.Count; i++) AddMessage(message.NestedType[i], name, $"{path}.{OfNestedMessages}.{i}", note);
        for (int i = 0; i < message.EnumType.Count; i++) AddEnum(message.EnumType[i], name, $"{path}.{OfNestedEnums}.{i}", note);
    }

    private void AddEnum(EnumDescriptorProto type, string parent, string path, Action<object, string> note)
    {
        _enums.Add($"{parent}.{type.Name}", type);
        note(type, path);
        for (int i = 0; i < type.Value.Count; i++) note(type.Value[i], $"{path}.{OfValues}.{i}");
    }

    /// <summary>A comment's lines as paragraphs.</summary>
    private static string Clean(string comment) => string.Join('\n', comment.Split('\n').Select(line => line.Trim()))
        .Replace("\n\n", "\r", StringComparison.Ordinal).Replace('\n', ' ').Replace("\r", "\n\n", StringComparison.Ordinal).Trim();
}
