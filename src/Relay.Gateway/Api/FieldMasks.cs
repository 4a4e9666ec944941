using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Relay.Gateway.Api;

/// <summary>Reads the masks of updates.</summary>
internal static class FieldMasks
{
    /// <summary>
    /// A mask with the names of fields as the protos have them. A mask in the query of an HTTP call arrives as it was written, and JSON
    /// writes <c>displayName</c>.
    /// </summary>
    public static FieldMask Normalize(FieldMask? mask)
    {
        var normal = new FieldMask();
        if (mask is not null) normal.Paths.AddRange(mask.Paths.Select(ToSnakeCase));
        return normal;
    }

    /// <summary>
    /// Puts the fields that the mask names into a message. A field that is unset in the source gets its default: the library writes the
    /// type's zero into an unset optional field, which says something else (<c>require_encryption: false</c>).
    /// </summary>
    public static void Merge(FieldMask mask, IMessage source, IMessage destination)
    {
        mask.Merge(source, destination, new FieldMask.MergeOptions { ReplaceMessageFields = true, ReplacePrimitiveFields = true });
        foreach (var path in mask.Paths) ClearUnset(path.Split('.'), source, destination);
    }

    private static void ClearUnset(ReadOnlySpan<string> path, IMessage? source, IMessage destination)
    {
        var field = destination.Descriptor.FindFieldByName(path[0]);
        if (path.Length == 1)
        {
            if (field.HasPresence && (source is null || !field.Accessor.HasValue(source))) field.Accessor.Clear(destination);
        }
        else if (field.Accessor.GetValue(destination) is IMessage inner)
        {
            ClearUnset(path[1..], source is null ? null : field.Accessor.GetValue(source) as IMessage, inner);
        }
    }

    private static string ToSnakeCase(string path)
    {
        if (!path.Any(char.IsAsciiLetterUpper)) return path;
        var snake = new StringBuilder(path.Length + 4);
        foreach (char c in path)
        {
            if (char.IsAsciiLetterUpper(c)) snake.Append('_').Append(char.ToLowerInvariant(c));
            else snake.Append(c);
        }
        return snake.ToString();
    }
}
