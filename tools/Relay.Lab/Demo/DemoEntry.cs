using System.Text;
using System.Text.Json.Nodes;

namespace Relay.Lab.Demo;

/// <summary>The participant that observed an entry of the transcript.</summary>
internal enum Witness
{
    /// <summary>The external contact.</summary>
    Contact,
    /// <summary>The bridge: wire text from the contact.</summary>
    WireIn,
    /// <summary>The bridge: wire text to the contact.</summary>
    WireOut,
    Bot,
    /// <summary>The demo itself, which starts and kills the server.</summary>
    Server,
}

/// <summary>The kind of an entry of the transcript.</summary>
internal enum Sight
{
    /// <summary>The witness wrote a text.</summary>
    Wrote,
    /// <summary>The witness read a text.</summary>
    Read,
    /// <summary>The bridge carried a wire text.</summary>
    Carried,
    /// <summary>A private session was established.</summary>
    SessionBegan,
    /// <summary>A private session ended.</summary>
    SessionEnded,
    /// <summary>Something was rejected or refused.</summary>
    Refused,
    /// <summary>A remark.</summary>
    Note,
}

/// <summary>One entry of the transcript.</summary>
/// <param name="IsPrivate">True if a text was read in a private session.</param>
/// <param name="At">Since the demo began.</param>
internal sealed record DemoEntry(
    int Number, TimeSpan At, Witness Witness, Sight Sight, string Text, byte[]? Wire = null, bool IsPrivate = false)
{
    public JsonNode ToJson()
    {
        var node = new JsonObject
        {
            ["n"] = Number,
            ["seconds"] = Math.Round(At.TotalSeconds, 3),
            ["witness"] = SnakeCase(Witness.ToString()),
            ["sight"] = SnakeCase(Sight.ToString()),
        };
        if (Wire is not null) node["wire"] = Encoding.UTF8.GetString(Wire);
        else node["text"] = Text;
        if (Sight == Sight.Read) node["private"] = IsPrivate;
        return node;
    }

    private static string SnakeCase(string name) => System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(name);
}
