using Relay.Actors;

namespace Relay.Gateway.Hosting;

/// <summary>The settings of the sealing epochs; a part of <see cref="RelaySettings"/>.</summary>
internal static class EpochSettings
{
    private const string Length = "Relay:Epochs:Length";
    private static readonly TimeSpan s_longest = TimeSpan.FromDays(30);

    public static IReadOnlyList<RelaySetting> All { get; } =
    [
        new("Relay:Epochs:KeyFile", "--epoch-key", "RELAY_EPOCH_KEY_FILE")
        {
            Apply = (o, v) => RelaySettings.Set(() => o.Epochs = o.Epochs with { KeyFile = Path.GetFullPath(v) }),
        },
        new("Relay:Epochs:Enabled") { Apply = ApplyEnabled },
        new(Length)
        {
            Apply = (o, v) => RelaySettings.ApplyTime(v, RelayLimits.LeastEpoch, s_longest, t => o.Epochs = o.Epochs with { Length = t }),
        },
        new("Relay:Epochs:BeginAnew", "--new-epoch-key") { Apply = ApplyBeginAnew },
    ];

    /// <summary>The values of the settings that have a default.</summary>
    public static IEnumerable<(string Key, string Value)> Defaults(RelayOptions options) => [(Length, options.Epochs.Length.ToString())];

    private static string? ApplyEnabled(RelayOptions options, string value)
    {
        if (!bool.TryParse(value, out bool isEnabled)) return "must be true or false.";
        options.Epochs = options.Epochs with { IsEnabled = isEnabled };
        return null;
    }

    private static string? ApplyBeginAnew(RelayOptions options, string value)
    {
        if (!bool.TryParse(value, out bool isAnew)) return "must be true or false.";
        options.Epochs = options.Epochs with { BeginAnew = isAnew };
        return null;
    }
}
