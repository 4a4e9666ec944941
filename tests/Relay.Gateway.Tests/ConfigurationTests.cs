using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Relay.Cli;
using Relay.Gateway.Hosting;
using Relay.Gateway.Tests.Harness;

namespace Relay.Gateway.Tests;

/// <summary>Where a server's settings come from, which of them wins, and what is said of mistakes.</summary>
public sealed class ConfigurationTests
{
    [Fact]
    public void The_later_source_wins()
    {
        using var directory = new TempDirectory();
        File.WriteAllText(directory.File("appsettings.json"), """{"Relay":{"Drain":{"Delay":"00:00:01","Timeout":"00:00:11"},"Streams":{"KeepAlive":"00:00:05"},"Conversations":{"Shards":3}}}""");
        File.WriteAllText(directory.File("appsettings.Test.json"), """{"Relay":{"Drain":{"Delay":"00:00:02"}}}""");
        using var configuration = new ConfigurationManager();
        configuration.AddRelaySources(directory.Path, "Test", new Dictionary<string, string> { ["--shards"] = "4", ["Relay:Streams:KeepAlive"] = "6" });
        var (options, mistakes) = RelayOptionsValidator.Read(configuration);
        Assert.Empty(mistakes);
        Assert.Equal((2, 11, 6, 4), (options.Drain.Delay.TotalSeconds, options.Drain.Timeout.TotalSeconds, options.Streams.KeepAlive.TotalSeconds, options.Conversations.Shards));
        Assert.Equal("appsettings.Test.json", RelayConfiguration.Find(configuration, "Relay:Drain:Delay")?.Origin);
        Assert.Equal("appsettings.json", RelayConfiguration.Find(configuration, "Relay:Drain:Timeout")?.Origin);
        Assert.Equal("--shards", RelayConfiguration.Find(configuration, "Relay:Conversations:Shards")?.Origin);
    }

    [Fact]
    public async Task Each_value_is_shown_with_its_origin_and_without_its_password()
    {
        using var directory = new TempDirectory();
        Directory.CreateDirectory(directory.File("secrets"));
        await File.WriteAllTextAsync(directory.File("appsettings.json"), """{"Relay":{"Drain":{"Delay":"00:00:03"}},"Kestrel":{"Endpoints":{"Health":{"Url":"http://127.0.0.1:7421"}}},"Logging":{"LogLevel":{"Relay":"Debug"}}}""");
        await File.WriteAllTextAsync(Path.Combine(directory.File("secrets"), "ConnectionStrings__Relay"), "Host=db;Username=u;Password=geheim1;SSL Password=geheim2\n");
        var environment = new Dictionary<string, string>
        {
            ["DOTNET_CONTENTROOT"] = directory.Path, ["RELAY_SECRETS_DIRECTORY"] = directory.File("secrets"),
            ["Relay__Conversations__Shards"] = "32", ["RELAY_Relay__Streams__KeepAlive"] = "00:00:07", ["RELAY_CLUSTER_HOST"] = "n1",
        };
        var shown = await Terminal.RunAsync(environment, null, "config", "show", "--json", "--data", "d", "--log-json");
        Assert.True(shown.Code == ExitCode.Ok, shown.Out + shown.Error);
        var settings = shown.Json.GetProperty("settings").EnumerateArray().ToDictionary(s => s.GetProperty("key").GetString()!, s => (s.GetProperty("value").GetString(), s.GetProperty("origin").GetString()));
        Assert.Equal(("00:00:03", "appsettings.json"), settings["Relay:Drain:Delay"]);
        Assert.Equal(("00:00:20", "default"), settings["Relay:Drain:Timeout"]);
        Assert.Equal(("d", "--data"), settings["Relay:DataDirectory"]);
        Assert.Equal(("json", "--log-json"), settings["Logging:Console:FormatterName"]);
        Assert.Equal(("32", "environment Relay__Conversations__Shards"), settings["Relay:Conversations:Shards"]);
        Assert.Equal(("00:00:07", "environment RELAY_Relay__Streams__KeepAlive"), settings["Relay:Streams:KeepAlive"]);
        Assert.Equal(("n1", "environment RELAY_CLUSTER_HOST"), settings["Relay:Cluster:Host"]);
        Assert.Equal(("Debug", "appsettings.json"), settings["Logging:LogLevel:Relay"]);
        Assert.Equal((null, null), settings["Relay:AdminKeyFile"]);
        Assert.Equal("secret file ConnectionStrings__Relay", settings["ConnectionStrings:Relay"].Item2);
        Assert.Contains("username=u", settings["ConnectionStrings:Relay"].Item1, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(("7430", "default"), settings["Relay:Cluster:Port"]);
        var people = await Terminal.RunAsync(environment, null, "config", "show");
        foreach (var text in new[] { shown.Out, people.Out }) Assert.DoesNotContain("geheim", text, StringComparison.Ordinal);
        Assert.Contains("environment RELAY_CLUSTER_HOST", people.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("serve")]
    [InlineData("config", "show")]
    public async Task Ten_mistakes_are_told_at_once_and_nothing_is_made(params string[] command)
    {
        using var directory = new TempDirectory();
        await File.WriteAllTextAsync(directory.File("appsettings.json"), """
            {"Relay":{"Drian":{"Delay":"1"},"Drain":{"Delay":"soon"},"Conversations":{"Shards":"many"},"Streams":{"KeepAlive":"00:10:00"}},
             "Kestrel":{"Endpoints":{"Grpc":{"Url":"http://0.0.0.0:7420"},"Other":{"Url":"http://127.0.0.1:1"},"Health":{"Url":"nowhere"}}},
             "Logging":{"LogLevel":{"Relay":"loud"}}}
            """);
        var refused = await Terminal.RunAsync(new Dictionary<string, string> { ["DOTNET_CONTENTROOT"] = directory.Path }, null,
            [.. command, "--data", directory.File("data"), "--drain-timeout", "0", "--broker", "amqp://u:geheim@mq", "--cluster-port", "70000"]);
        Assert.Equal(ExitCode.Usage, refused.Code);
        var told = refused.Out + refused.Error;
        foreach (var name in new[]
        {
            "Relay:Drian:Delay", "Relay:Drain:Delay", "Relay:Drain:Timeout (--drain-timeout)", "Relay:Conversations:Shards", "Relay:Streams:KeepAlive", "Relay:Cluster:Port (--cluster-port)", "--broker has been removed",
            "without TLS", "Kestrel:Endpoints:Other", "Kestrel:Endpoints:Health:Url", "Logging:LogLevel:Relay", "no database",
        }) Assert.Contains(name, told, StringComparison.Ordinal);
        // What was meant, where it can be guessed.
        Assert.Contains("did you mean Relay:Drain:Delay?", told, StringComparison.Ordinal);
        Assert.DoesNotContain("geheim", told, StringComparison.Ordinal);
        Assert.False(Directory.Exists(directory.File("data")));
    }

    [Theory]
    [InlineData("""{"Relay":""")]
    [InlineData("[1]")]
    public async Task A_file_that_is_no_JSON_is_named(string content)
    {
        using var directory = new TempDirectory();
        await File.WriteAllTextAsync(directory.File("appsettings.json"), content);
        var refused = await Terminal.RunAsync(new Dictionary<string, string> { ["DOTNET_CONTENTROOT"] = directory.Path }, null, "serve", "--data", directory.File("data"));
        Assert.Equal(ExitCode.Usage, refused.Code);
        Assert.Contains("appsettings.json", refused.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("5", 5)]
    [InlineData("0.5", 0.5)]
    [InlineData("00:01:30", 90)]
    public void A_number_is_a_number_of_seconds(string text, double seconds)
    {
        using var configuration = new ConfigurationManager();
        configuration.AddRelaySources(Path.GetTempPath(), "Test", new Dictionary<string, string> { ["--drain-delay"] = text });
        Assert.Equal(seconds, RelayOptionsValidator.Read(configuration).Options.Drain.Delay.TotalSeconds);
    }

    [Theory]
    [InlineData("127.0.0.1:0", null, "http://127.0.0.1:0")]
    [InlineData("[::1]:1", null, "http://[::1]:1")]
    [InlineData("localhost:7", null, "http://127.0.0.1:7")]
    [InlineData("0.0.0.0:7420", "c.pem", "https://0.0.0.0:7420")]
    [InlineData(null, "c.pem", "https://127.0.0.1:7420")]
    public void An_address_gets_the_scheme_that_the_certificate_asks_for(string? listen, string? certificate, string url)
    {
        using var configuration = new ConfigurationManager();
        var switches = new Dictionary<string, string>();
        if (listen is not null) switches["--listen"] = listen;
        if (certificate is not null) switches["--certificate"] = certificate;
        configuration.AddRelaySources(Path.GetTempPath(), "Test", switches);
        Assert.Equal(url, configuration["Kestrel:Endpoints:Grpc:Url"]);
    }

    [Fact]
    public async Task A_server_runs_by_its_file_alone()
    {
        using var directory = new TempDirectory();
        await File.WriteAllTextAsync(directory.File("appsettings.json"), JsonSerializer.Serialize(new
        {
            Relay = new { DataDirectory = directory.File("data"), AdminKeyFile = directory.File("first.key"), Conversations = new { Shards = 2 } },
            Kestrel = new { Endpoints = new { Grpc = new { Url = "http://127.0.0.1:0" }, Health = new { Url = "http://127.0.0.1:0" } } },
            Logging = new { LogLevel = new { Default = "None" } },
        }));
        await using var host = await ServerHost.StartFromAsync(directory.Path);
        Assert.True(host.MadeAdminKey);
        Assert.True(File.Exists(directory.File("first.key")));
        using var http = new HttpClient { BaseAddress = host.HealthAddress };
        Assert.Equal("ok\n", await http.GetStringAsync(new Uri("/readyz", UriKind.Relative), Patience.Token));
    }
}
