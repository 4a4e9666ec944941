using System.Text;

namespace Relay.Bridges.Irc;

/// <summary>The client's side of SASL PLAIN and EXTERNAL (IRCv3 sasl-3.2).</summary>
internal static class Sasl
{
    /// <summary>The mechanism that the options ask for.</summary>
    public static string Mechanism(IrcOptions options) => options.Sasl is null ? "EXTERNAL" : "PLAIN";

    /// <summary>
    /// The AUTHENTICATE lines that answer the server's <c>+</c>. Base64 in pieces of 400 characters; if the last piece is full, an empty
    /// one says that it was the last.
    /// </summary>
    public static IReadOnlyList<string> Response(IrcOptions options)
    {
        // EXTERNAL: the identity is that of the certificate, so the response is empty.
        if (options.Sasl is not { } account) return ["AUTHENTICATE +"];
        // authzid (empty: the account itself), authcid, password.
        var encoded = Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{account.Account}\0{account.Password}"));
        var lines = new List<string>();
        for (var at = 0; at < encoded.Length; at += IrcLimits.SaslPiece)
            lines.Add("AUTHENTICATE " + encoded.Substring(at, Math.Min(IrcLimits.SaslPiece, encoded.Length - at)));
        if (encoded.Length % IrcLimits.SaslPiece == 0) lines.Add("AUTHENTICATE +");
        return lines;
    }
}
