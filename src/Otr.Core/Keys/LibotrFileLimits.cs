namespace Otr.Core;

/// <summary>Bounds of libotr's three file formats, by name, in one place.</summary>
public static class LibotrFileLimits
{
    /// <summary>Longest file taken in, in bytes.</summary>
    public const int MaxFileBytes = 4 * 1024 * 1024;
    /// <summary>Most keys, fingerprints or instance tags in one file.</summary>
    public const int MaxEntries = 20_000;
    /// <summary>Most private keys in one file: each costs several exponentiations to check.</summary>
    public const int MaxPrivateKeys = 1024;
    /// <summary>Deepest nesting of lists in a private key file; libotr's own has five levels.</summary>
    public const int MaxDepth = 16;
    /// <summary>Longest name or number in a private key file, in bytes after decoding.</summary>
    public const int MaxAtomBytes = 1024;
    /// <summary>Longest line of the fingerprint and instance tag files, in bytes with its end: libotr's buffer less one.</summary>
    public const int MaxLineBytes = 999;
}
