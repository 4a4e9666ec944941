using System.Text;
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
