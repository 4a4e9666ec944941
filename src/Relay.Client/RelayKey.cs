namespace Relay.Client;

/// <summary>An API key, <c>relay_{id}_{secret}</c>. It prints its id only, and is never an argument of a command.</summary>
public sealed class RelayKey
{
    /// <summary>The environment variable that holds a key.</summary>
    public const string KeyVariable = "RELAY_KEY";
    /// <summary>The environment variable that names the file which holds a key.</summary>
    public const string KeyFileVariable = "RELAY_KEY_FILE";

    private readonly string _token;

    private RelayKey(string id, string token)
    {
        Id = id;
        _token = token;
    }

    /// <summary>The public half of the key.</summary>
    public string Id { get; }

    /// <summary>Reads a key's text; blanks around it are ignored.</summary>
    /// <exception cref="FormatException">It is no key. The message does not repeat it.</exception>
    public static RelayKey Parse(string text)
    {
        var token = text.Trim();
        var parts = token.Split('_', 3);
        if (parts.Length != 3 || parts[0] != "relay" || parts[1].Length == 0 || parts[2].Length == 0 || token.Any(c => c is <= ' ' or > '~'))
            throw new FormatException("This is no API key of Relay: one looks like relay_…_….");
        return new RelayKey(parts[1], token);
    }

    /// <summary>Reads a key from a file.</summary>
    /// <exception cref="FormatException">The file holds no key.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static RelayKey FromFile(string path) => Parse(File.ReadAllText(path));

    /// <summary>The key that <see cref="KeyFileVariable"/> or else <see cref="KeyVariable"/> gives.</summary>
    /// <exception cref="InvalidOperationException">Neither is set.</exception>
    public static RelayKey FromEnvironment() =>
        TryFromEnvironment() ?? throw new InvalidOperationException($"Set {KeyFileVariable} to the file that holds the API key, or {KeyVariable} to the key.");

    /// <summary>As <see cref="FromEnvironment"/>; null if neither variable is set.</summary>
    public static RelayKey? TryFromEnvironment() =>
        Environment.GetEnvironmentVariable(KeyFileVariable) is { Length: > 0 } file ? FromFile(file)
        : Environment.GetEnvironmentVariable(KeyVariable) is { Length: > 0 } key ? Parse(key)
        : null;

    internal string Authorization => "Bearer " + _token;

    /// <summary>Prints the id only.</summary>
    public override string ToString() => $"RelayKey {{ {Id} }}";
}
