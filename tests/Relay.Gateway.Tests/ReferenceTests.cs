using Relay.Gateway.Api;
using Relay.Gateway.Auth;
using Relay.Gateway.Hosting;
using Relay.Gateway.Tests.Reference;

namespace Relay.Gateway.Tests;

/// <summary>The reference pages are those that the code makes. RELAY_ACCEPT_DOCS=1 writes them.</summary>
public sealed class ReferenceTests
{
    [Theory]
    [InlineData("api.md")]
    [InlineData("command.md")]
    [InlineData("configuration.md")]
    [InlineData("events.md")]
    [InlineData("log.md")]
    [InlineData("reasons.md")]
    public void A_page_is_made_from_its_source(string page)
    {
        var made = page switch
        {
            "api.md" => ApiPage.Api(),
            "command.md" => SettingsPages.OfCommand(),
            "configuration.md" => SettingsPages.OfConfiguration(),
            "events.md" => ApiPage.OfEvents(),
            "log.md" => LogPage.Make(),
            _ => SettingsPages.OfReasons(Root()),
        };
        var file = Path.Combine(Root(), "docs", page);
        if (Environment.GetEnvironmentVariable("RELAY_ACCEPT_DOCS") == "1") File.WriteAllText(file, made);
        Assert.Equal(made, File.ReadAllText(file));
    }

    /// <summary>A number is one message's: alerts on logs are by number.</summary>
    [Fact]
    public void Log_events_have_numbers_of_their_own()
    {
        Assert.True(LogPage.Events.Count > 60);
        Assert.Empty(LogPage.Events.GroupBy(e => e.Number).Where(g => g.Count() > 1).Select(g => g.Key));
        Assert.All(LogPage.Events, e => Assert.InRange(e.Number, 100, 5999));
    }

    [Fact]
    public void Every_field_and_value_of_the_API_is_described()
    {
        var rows = new[] { "api.md", "events.md" }.SelectMany(p => File.ReadLines(Path.Combine(Root(), "docs", p))).Where(l => l.StartsWith("| `", StringComparison.Ordinal));
        Assert.True(rows.Count() > 300);
        Assert.DoesNotContain(rows, r => r.EndsWith("|  |", StringComparison.Ordinal));
    }

    [Fact]
    public void Every_setting_is_described() =>
        Assert.All(RelaySettings.All, s => Assert.True(s.Description.Length > 0, $"{s.Key}: SettingDescriptions has no sentence."));

    /// <summary>The walk through the compiled code finds what a reader of the source finds.</summary>
    [Fact]
    public void The_reasons_of_a_method_are_found_in_its_code()
    {
        Assert.Superset(new HashSet<string> { Reasons.KeyMissing, Reasons.ScopeMissing }, MethodReasons.OfAll.ToHashSet());
        Assert.Contains(Reasons.EndpointExists, MethodReasons.Of("EndpointService", "CreateEndpoint").Reasons);
        Assert.Contains(Reasons.EtagMismatch, MethodReasons.Of("EndpointService", "UpdateEndpoint").Reasons);
        var send = MethodReasons.Of("MessageService", "SendMessage");
        Assert.True(send.IsRefusable);
        Assert.DoesNotContain(Reasons.KeyStillValid, send.Reasons);
        Assert.False(MethodReasons.Of("AdminService", "ListApiKeys").IsRefusable);
        Assert.Contains(Reasons.TooManyHeld, MethodReasons.OfRefusals);
    }

    private static string Root()
    {
        var d = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(d.FullName, "Relay.sln"))) d = d.Parent!;
        return d.FullName;
    }
}
