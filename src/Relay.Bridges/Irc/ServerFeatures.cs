using System.Globalization;

namespace Relay.Bridges.Irc;

/// <summary>What the server has announced: the tokens of 005 and the capabilities that are in force.</summary>
internal sealed class ServerFeatures
{
    private readonly Dictionary<string, string> _tokens = new(StringComparer.Ordinal);
    private readonly HashSet<string> _enabled = new(StringComparer.Ordinal);

    public CaseMapping CaseMapping { get; private set; } = CaseMapping.Rfc1459;

    /// <summary>Bytes of a line with its end. A server that announces less or more than the protocol's 512 is believed.</summary>
    public int LineBytes => Number("LINELEN", 128, IrcLineLimits.TagBytes) ?? IrcLineLimits.LineBytes;

    public int? NickBytes => Number("NICKLEN", 1, 200);

    public int? UserBytes => Number("USERLEN", 1, 200);

    public int? HostBytes => Number("HOSTLEN", 1, 300);

    /// <summary>The prefixes of channel names.</summary>
    public string ChannelTypes => _tokens.GetValueOrDefault("CHANTYPES", "#&");

    /// <summary>The server returns each of the bridge's own messages as it went out.</summary>
    public bool EchoesMessages => _enabled.Contains("echo-message");

    /// <summary>The server repeats the label of a request on its answer. Labels are tags, so both capabilities are needed.</summary>
    public bool LabelsResponses => _enabled.Contains("labeled-response") && _enabled.Contains("batch");

    public bool TagsAccounts => _enabled.Contains("account-tag");

    public bool IsEnabled(string capability) => _enabled.Contains(capability);

    public void Enable(string capability)
    {
        if (_enabled.Count < IrcLimits.Tokens) _enabled.Add(capability);
    }

    public void Disable(string capability) => _enabled.Remove(capability);

    /// <summary>Reads a line 005: <c>me TOKEN=value TOKEN -TOKEN :are supported by this server</c>.</summary>
    public void Learn(IrcLine isupport)
    {
        for (var i = 1; i < isupport.Params.Count - 1; i++)
        {
            var token = isupport.Params[i];
            var equals = token.IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? token : token[..equals];
            if (name is ['-', ..]) _tokens.Remove(name[1..]);
            else if (_tokens.Count < IrcLimits.Tokens) _tokens[name] = equals < 0 ? "" : token[(equals + 1)..];
        }
        CaseMapping = CaseMapping.Named(_tokens.GetValueOrDefault("CASEMAPPING"));
    }

    /// <summary>A number outside its sane range is as good as none: a hostile server must not make lines without room for text.</summary>
    private int? Number(string token, int least, int most) =>
        _tokens.TryGetValue(token, out var value)
        && int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number : null;
}
