using Otr.Core;

namespace Relay.Lab.OtrPeer;

/// <summary>Parses the policies of the peer line protocol.</summary>
internal static class PeerPolicy
{
    private static readonly Dictionary<string, OtrPolicy> Words = new(StringComparer.Ordinal)
    {
        ["v1"] = 0, ["v2"] = OtrPolicy.AllowV2, ["v3"] = OtrPolicy.AllowV3, ["v4"] = 0, // versions that Otr.Core does not speak
        ["require-encryption"] = OtrPolicy.RequireEncryption,
        ["send-tag"] = OtrPolicy.SendWhitespaceTag,
        ["whitespace-start"] = OtrPolicy.WhitespaceStartAke,
        ["error-start"] = OtrPolicy.ErrorStartAke,
        ["never"] = OtrPolicy.Never,
        ["manual"] = OtrPolicy.Manual,
        ["opportunistic"] = OtrPolicy.Opportunistic,
        ["always"] = OtrPolicy.Always,
    };

    /// <summary>Combines words that are separated by spaces or commas. Returns false for an unknown word.</summary>
    public static bool TryParse(string text, out OtrPolicy policy)
    {
        policy = OtrPolicy.Never;
        foreach (var word in text.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries))
        {
            if (!Words.TryGetValue(word, out var flag)) return false;
            policy |= flag;
        }
        return true;
    }
}
