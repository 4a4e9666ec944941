using Relay.Chaos.Tests.Partition;
using Relay.Client;
using Relay.Lab.Load;
using Relay.Lab.OtrPeer;
using Relay.Lab.Processes;

namespace Relay.Chaos.Tests;

/// <summary>
/// Three relays over a PostgreSQL, each a process under a supervisor, the last of them on a network of its own where that is
/// permitted, and hundreds of conversations through them.
/// </summary>
public sealed class ChaosCluster : IAsyncLifetime
{
    private const int Nodes = 3, Conversations = 200, LibotrContacts = 4;
    /// <summary>What is in flight may wait for a database that is gone, or for a busy machine.</summary>
    private const string DrainSeconds = "60";
    private static readonly TimeSpan s_think = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(4);

    private ClusterProcesses? _processes;
    private LoadStage? _stage;
    private string _certificate = "";

    internal ClusterProcesses Processes => _processes!;

    internal ConversationLoad Load => _stage!.Load;

    /// <summary>Decides what breaks when; printed, and taken from RELAY_SEED if that is set.</summary>
    internal int Seed { get; } =
        int.TryParse(Environment.GetEnvironmentVariable("RELAY_SEED"), out int given) ? given : Random.Shared.Next();

    /// <summary>The network of <see cref="IslandNode"/>; null where none can be made.</summary>
    internal NetworkNamespace? Island { get; private set; }

    internal string WhyNoIsland { get; private set; } = "";

    internal ClusterNode IslandNode => Processes.Nodes[^1];

    /// <summary>What is not installed; null if all is.</summary>
    internal string? WhyNot { get; private set; }

    /// <summary>Contacts that are libotr.</summary>
    internal int LibotrCount { get; private set; }

    internal string WhyNoLibotr { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        if (ClusterProcesses.Missing is { } missing)
        {
            WhyNot = $"Not installed: {missing}. On Debian: apt-get install {missing}";
            return;
        }
        using var patience = new CancellationTokenSource(s_patience);
        (Island, WhyNoIsland) = await NetworkNamespace.TryCreateAsync();
        var options = new ClusterLayout { Nodes = Nodes, Arguments = ["--drain-timeout", DrainSeconds] };
        if (Island is not null)
        {
            _certificate = Path.Combine(AppContext.BaseDirectory, $"island-{Environment.ProcessId}.pem");
            Certificate.Write(_certificate, Island.InsideAddress);
            options = options with
            {
                Address = Island.OutsideAddress,
                NodeNetwork = Island.Network,
                Places = new Dictionary<int, NodePlace> { [Nodes] = new(Island.Enter, Island.InsideAddress, _certificate) },
            };
        }
        _processes = await ClusterProcesses.StartAsync(options, patience.Token);
        var peers = Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, "peers")).FullName;
        bool libotr = LibotrPeer.TryBuild(peers, out var program, out var reason);
        (LibotrCount, WhyNoLibotr) = (libotr ? LibotrContacts : 0, reason);
        var load = new LoadOptions(Conversations, s_think)
        {
            Endpoints = 4, LibotrContacts = LibotrCount, LibotrProgram = program, Seed = Seed,
        };
        _stage = await LoadStage.OpenAsync((key, who) => _processes.Connect(key, who + 1, ClientOptions()),
            RelayKey.FromFile(_processes.AdminKeyFile), load, patience.Token);
        try
        {
            await Load.BeginAsync(static _ => { }, patience.Token);
        }
        catch (OperationCanceledException)
        {
            _processes.KeepsLogs = true;
            var late = Load.Conversations.Where(c => !c.Began.IsCompletedSuccessfully).Select(c => $"{c.Peer} {c.Tally}").ToList();
            throw new TimeoutException($"{late.Count} of {Conversations} sessions are not established after {s_patience}; logs are kept in "
                + $"{_processes.Directory}.\n{string.Join('\n', late.Take(10).Concat(Load.Ledger.Faults))}");
        }
        Load.Talk();
    }

    public async ValueTask DisposeAsync()
    {
        if (_stage is not null) await _stage.DisposeAsync();
        if (_processes is not null) await _processes.DisposeAsync();
        if (Island is not null) await Island.DisposeAsync();
        if (_certificate.Length > 0) File.Delete(_certificate);
    }

    /// <summary>As a careful bot sets them: it soon leaves a server that says nothing.</summary>
    private RelayClientOptions ClientOptions() => new()
    {
        MaxBackoff = TimeSpan.FromSeconds(1),
        AttemptTimeout = TimeSpan.FromSeconds(5),
        SilenceLimit = TimeSpan.FromSeconds(20),
        TrustedCertificateFile = _certificate.Length > 0 ? _certificate : null,
    };
}
