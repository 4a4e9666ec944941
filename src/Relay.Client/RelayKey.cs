namespace Relay.Client;

/// <summary>
/// An API key, <c>relay_{id}_{secret}</c>. <see cref="ToString"/> prints the id only. A key is never a command-line argument.
/// </summary>
public sealed class RelayKey
{
    /// <summary>The environment variable that contains a key.</summary>
    public const string KeyVariable = "RELAY_KEY";
    /// <summary>The environment variable that names a file with a key.</summary>
    public const string KeyFileVariable = "RELAY_KEY_FILE";

    private readonly string _token;

    private RelayKey(string id, string token)
    {
        Id = id;
        _token = token;
    }

    /// <summary>The public part of the key, which identifies it in lists.</summary>
    public string Id { get; }

    /// <summary>Parses a key; surrounding white space is ignored.</summary>
    /// <exception cref="FormatException">The text is not a key. The message does not repeat the text.</exception>
    public static RelayKey Parse(string text)
    {
        var token = text.Trim();
        var parts = token.Split('_', 3);
        if (parts.Length != 3 || parts[0] != "relay" || parts[1].Length == 0 || parts[2].Length == 0
            || token.Any(c => c is <= ' ' or > '~'))
            throw new FormatException("This is not an API key of Relay, which has the form relay_{id}_{secret}.");
        return new RelayKey(parts[1], token);
    }

    /// <summary>Reads a key from a file.</summary>
    /// <exception cref="FormatException">The file does not contain a key.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static RelayKey FromFile(string path) => Parse(File.ReadAllText(path));

    /// <summary>Reads the key from the file that <see cref="KeyFileVariable"/> names, or else from <see cref="KeyVariable"/>.</summary>
    /// <exception cref="InvalidOperationException">Neither variable is set.</exception>
    public static RelayKey FromEnvironment() =>
        TryFromEnvironment() ?? throw new InvalidOperationException(
            $"Set {KeyFileVariable} to the path of a file with the API key, or {KeyVariable} to the key.");

    /// <summary>Does the same as <see cref="FromEnvironment"/>, but returns null if neither variable is set.</summary>
    public static RelayKey? TryFromEnvironment() =>
        Environment.GetEnvironmentVariable(KeyFileVariable) is { Length: > 0 } file ? FromFile(file)
        : Environment.GetEnvironmentVariable(KeyVariable) is { Length: > 0 } key ? Parse(key)
        : null;

    internal string Authorization => "Bearer " + _token;

    /// <summary>Prints the id only.</summary>
    public override string ToString() => $"RelayKey {{ {Id} }}";
}
