using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Relay.Cli;
using Relay.Gateway.Hosting;

namespace Deploy.Tests;

/// <summary>
/// What the compose files say, held against the sources, where no engine runs. `deploy/test-compose.sh` and its sibling run them.
/// </summary>
public sealed partial class ComposeTests
{
    private const string Cluster = "docker-compose.yml", Single = "deploy/compose.single.yml";

    /// <summary>Time that a server takes at most to close connections and stores after a drain that did not end in time.</summary>
    private static readonly TimeSpan s_closing = TimeSpan.FromSeconds(15);

    public static TheoryData<string> Files => [Cluster, Single];

    [Theory, MemberData(nameof(Files))]
    public void Its_command_is_one_that_relay_takes(string file)
    {
        var lines = Lines(file);
        int at = Array.FindIndex(lines, l => l.Trim() == "command:");
        var item = new string(' ', lines[at].Length - "command:".Length + 2) + "- ";
        var arguments = lines.Skip(at + 1).TakeWhile(l => l.StartsWith(item, StringComparison.Ordinal))
            .Select(l => Variable().Replace(l[item.Length..], "$1")).ToArray();
        Assert.Equal("serve", arguments[0]);
        Assert.Contains(arguments, a => a.StartsWith("--certificate=", StringComparison.Ordinal));
        Assert.Empty(RelayCommand.Create().Parse(arguments).Errors.Select(e => e.Message));
    }

    /// <summary>The API in the clear, or to the world, must be an operator's own decision.</summary>
    [Theory, MemberData(nameof(Files))]
    public void It_publishes_on_loopback_only(string file)
    {
        var ports = Lines(file).Select(l => l.Trim()).Where(l => l.StartsWith("ports:", StringComparison.Ordinal)).ToList();
        Assert.All(ports, p => Assert.StartsWith("ports: [\"127.0.0.1:", p, StringComparison.Ordinal));
        Assert.Equal(file == Cluster ? 3 : 1, ports.Count);
    }

    [Theory, MemberData(nameof(Files))]
    public void It_runs_the_products_version(string file)
    {
        var version = XDocument.Load(Repository.PathOf("Directory.Build.props")).Descendants("Version").Single().Value;
        Assert.Contains($"image: relay:${{RELAY_VERSION:-{version}}}\n", Repository.Text(file), StringComparison.Ordinal);
    }

    /// <summary>Killed while it drains, a relay would leave its shards to be taken over instead of handing them on.</summary>
    [Theory, MemberData(nameof(Files))]
    public void A_relay_gets_the_time_to_drain(string file)
    {
        var grace = TimeSpan.FromSeconds(int.Parse(Grace().Match(Repository.Text(file)).Groups[1].Value, CultureInfo.InvariantCulture));
        Assert.True(grace >= GatewayLimits.DrainTimeout + s_closing, $"{grace}");
    }

    [Theory, MemberData(nameof(Files))]
    public void Nothing_is_writable_or_privileged_that_need_not_be(string file)
    {
        var text = Repository.Text(file);
        string[] hardened = ["read_only: true", "cap_drop: [ALL]", "no-new-privileges:true", "ulimits: {core: 0}"];
        Assert.All(hardened, line => Assert.Contains(line, text, StringComparison.Ordinal));
        Assert.DoesNotContain("privileged:", text, StringComparison.Ordinal);
        Assert.All(Services(file), s => Assert.Matches(@"<<: (\*relay|\*hardened|\[\*hardened, \*image\])\n", s.Text));
    }

    [Fact]
    public void The_database_is_reached_by_relays_only_and_is_not_root()
    {
        var services = Services(Cluster).ToDictionary(s => s.Name, s => s.Text);
        Assert.Equal(["postgres", "relay1", "relay2", "relay3", "secrets"], services.Keys.Order());
        var database = services["postgres"];
        Assert.Contains("    networks: [cluster]\n", database, StringComparison.Ordinal);
        Assert.Contains("    user: \"999:999\"\n", database, StringComparison.Ordinal);
        Assert.Contains("    healthcheck:\n", database, StringComparison.Ordinal);
        Assert.DoesNotContain("ports:", database, StringComparison.Ordinal);
        Assert.Matches(@"\n  cluster:\n    internal: true\n", Repository.Text(Cluster));
    }

    /// <summary>A node that was downed ends with a code of its own, and nobody but its supervisor starts it again.</summary>
    [Theory, MemberData(nameof(Files))]
    public void A_relay_that_ends_is_started_again(string file)
    {
        var text = Repository.Text(file);
        var relay = text[..text.IndexOf("stop_grace_period", StringComparison.Ordinal)];
        Assert.Contains("  restart: unless-stopped\n", relay, StringComparison.Ordinal);
    }

    /// <summary>
    /// A second process at an address that is taken does not start. The names belong to the network that nobody else is on,
    /// so a node listens there only.
    /// </summary>
    [Fact]
    public void Every_relay_has_an_address_and_a_data_directory_of_its_own()
    {
        foreach (var (name, text) in Services(Cluster).Where(s => s.Name.StartsWith("relay", StringComparison.Ordinal)))
        {
            Assert.Contains($"RELAY_CLUSTER_HOST: {name}.cluster}}", text, StringComparison.Ordinal);
            Assert.Contains($"    networks: {{clients: , cluster: {{aliases: [{name}.cluster]}}}}\n", text, StringComparison.Ordinal);
            Assert.Contains($"      - data{name[^1]}:/var/lib/relay\n", text, StringComparison.Ordinal);
            Assert.Contains("      - sealing:/var/lib/relay-sealing\n", text, StringComparison.Ordinal);
        }
    }

    [Theory, MemberData(nameof(Files))]
    public void Every_volume_that_is_used_is_declared_and_the_other_way_round(string file)
    {
        var text = Repository.Text(file);
        var declared = text[text.LastIndexOf("\nvolumes:\n", StringComparison.Ordinal)..].Split('\n')
            .Where(l => l.StartsWith("  ", StringComparison.Ordinal)).Select(l => l.Trim().TrimEnd(':'));
        var used = Volume().Matches(text).Select(m => m.Groups[1].Value).Distinct();
        Assert.Equal(declared.Order(), used.Order());
    }

    private static string[] Lines(string file) => Repository.Text(file).Split('\n');

    private static IEnumerable<(string Name, string Text)> Services(string file)
    {
        var text = Repository.Text(file);
        int from = text.IndexOf("\nservices:\n", StringComparison.Ordinal) + "\nservices:\n".Length;
        int to = TopLevel().Match(text, from).Index;
        return Service().Matches(text[from..to]).Select(m => (m.Groups[1].Value, m.Value));
    }

    /// <summary>${NAME:-default}</summary>
    [GeneratedRegex(@"\$\{\w+:-([^}]*)\}")]
    private static partial Regex Variable();

    [GeneratedRegex(@"stop_grace_period: (\d+)s")]
    private static partial Regex Grace();

    [GeneratedRegex(@"^\w+:", RegexOptions.Multiline)]
    private static partial Regex TopLevel();

    [GeneratedRegex(@"^  (\w+):\n(?:    .*\n|\n|  #.*\n)+", RegexOptions.Multiline)]
    private static partial Regex Service();

    [GeneratedRegex(@"[""\s]([a-z0-9-]+):/(?:var|run|etc)/")]
    private static partial Regex Volume();
}
