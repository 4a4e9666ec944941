using System.Text;
using System.Text.Json.Nodes;

namespace Relay.Lab.Demo;

/// <summary>Who saw something.</summary>
internal enum Witness
{
    /// <summary>The contact outside.</summary>
    Contact,
    /// <summary>The bridge: what the chat network carries, from the contact.</summary>
    WireIn,
    /// <summary>The bridge: what the chat network carries, to the contact.</summary>
    WireOut,
    /// <summary>The bot.</summary>
    Bot,
    /// <summary>The server's keeper.</summary>
    Server,
}

/// <summary>What was seen.</summary>
internal enum Sight
{
    /// <summary>Text written by the witness.</summary>
    Wrote,
    /// <summary>Text read by the witness.</summary>
    Read,
    /// <summary>Wire text carried.</summary>
    Carried,
    /// <summary>A private session began.</summary>
    SessionBegan,
    /// <summary>A private session ended.</summary>
    SessionEnded,
    /// <summary>Something that should not have happened, or was refused.</summary>
    Refused,
    /// <summary>Something else worth telling.</summary>
    Note,
}

/// <summary>One line of the transcript.</summary>
/// <param name="IsPrivate">Of a text read: it came through a private session.</param>
internal sealed record DemoEntry(int Number, Witness Witness, Sight Sight, string Text, byte[]? Wire = null, bool IsPrivate = false)
{
    public JsonNode ToJson()
    {
        var node = new JsonObject
        {
            ["n"] = Number,
            ["witness"] = JsonNamingPolicyName(Witness.ToString()),
            ["sight"] = JsonNamingPolicyName(Sight.ToString()),
        };
        if (Wire is not null) node["wire"] = Encoding.UTF8.GetString(Wire);
        else node["text"] = Text;
        if (Sight == Sight.Read) node["private"] = IsPrivate;
        return node;
    }

    private static string JsonNamingPolicyName(string name) => System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(name);
}
