using System.Globalization;
using Relay.Actors.Files;

namespace Relay.Gateway.Hosting;

/// <summary>The settings of files; a part of <see cref="RelaySettings"/>.</summary>
internal static class FileOptionSettings
{
    private const string MaxBytes = "Relay:Files:MaxBytes", Life = "Relay:Files:Life";
    private const string FilesPerEndpoint = "Relay:Files:FilesPerEndpoint", BytesPerEndpoint = "Relay:Files:BytesPerEndpoint";
    private const string FilesPerPeer = "Relay:Files:FilesPerPeer", BytesPerPeer = "Relay:Files:BytesPerPeer";

    private static readonly TimeSpan s_shortestLife = TimeSpan.FromMinutes(1), s_longestLife = TimeSpan.FromDays(90);

    public static IReadOnlyList<RelaySetting> All { get; } =
    [
        Number(MaxBytes, FileLimits.MaxFileBytes, (files, n) => files with { MaxFileBytes = n }),
        new(Life)
        {
            Apply = (o, v) => RelaySettings.ApplyTime(v, s_shortestLife, s_longestLife, t => o.Files = o.Files with { Life = t }),
        },
        Number(FilesPerEndpoint, FileLimits.MaxFiles, (files, n) => files with { Quota = files.Quota with { Files = n } }),
        Number(BytesPerEndpoint, FileLimits.MaxBytes, (files, n) => files with { Quota = files.Quota with { Bytes = n } }),
        Number(FilesPerPeer, FileLimits.MaxFiles, (files, n) => files with { Quota = files.Quota with { ConversationFiles = n } }),
        Number(BytesPerPeer, FileLimits.MaxBytes, (files, n) => files with { Quota = files.Quota with { ConversationBytes = n } }),
        new("Relay:Files:PublicUrl") { Apply = ApplyUrl },
    ];

    /// <summary>The values of the settings that have a default.</summary>
    public static IEnumerable<(string Key, string Value)> Defaults(RelayOptions options) =>
    [
        (MaxBytes, Text(options.Files.MaxFileBytes)),
        (Life, options.Files.Life.ToString()),
        (FilesPerEndpoint, Text(options.Files.Quota.Files)),
        (BytesPerEndpoint, Text(options.Files.Quota.Bytes)),
        (FilesPerPeer, Text(options.Files.Quota.ConversationFiles)),
        (BytesPerPeer, Text(options.Files.Quota.ConversationBytes)),
    ];

    /// <summary>Checks settings against each other: a smaller whole would make its parts useless without a word.</summary>
    public static IEnumerable<string> Check(RelayOptions options)
    {
        var (files, quota) = (options.Files, options.Files.Quota);
        if (quota.ConversationFiles > quota.Files) yield return $"{FilesPerPeer} must not be more than {FilesPerEndpoint}.";
        if (quota.ConversationBytes > quota.Bytes) yield return $"{BytesPerPeer} must not be more than {BytesPerEndpoint}.";
        if (files.MaxFileBytes > quota.ConversationBytes) yield return $"{MaxBytes} must not be more than {BytesPerPeer}.";
    }

    private static RelaySetting Number(string key, long most, Func<FileSettings, long, FileSettings> put) => new(key)
    {
        Apply = (options, value) =>
        {
            if (!long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out long number) || number < 1 || number > most)
                return $"must be 1 to {Text(most)}.";
            options.Files = put(options.Files, number);
            return null;
        },
    };

    /// <summary>Cleartext would tell everybody between the token, with which the ciphertext is got.</summary>
    private static string? ApplyUrl(RelayOptions options, string value)
    {
        var text = value.TrimEnd('/');
        bool isUrl = FileNames.IsUrl(text) && text.Length is > 0 and <= FileLimits.MaxPublicUrlLength
            && new Uri(text) is { Query: "", Fragment: "" } url && (url.Scheme == Uri.UriSchemeHttps || url.IsLoopback);
        if (!isUrl) return $"must be an https URL of at most {FileLimits.MaxPublicUrlLength} characters, without query and fragment.";
        options.Files = options.Files with { PublicUrl = text };
        return null;
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
