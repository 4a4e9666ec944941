using Relay.Cli;
using Relay.Lab.Bench;
using Relay.Lab.ClusterDemo;
using Relay.Lab.Demo;
using Relay.Lab.Load;
using Relay.Lab.OtrPeer;

namespace Relay.Lab;

/// <summary>The commands that a checkout has beside the product's: demos, load, benchmarks, a test contact.</summary>
public static class LabCommands
{
    private static readonly Dictionary<string, string[]> s_examples = new()
    {
        ["relay"] =
        [
            "relay demo                                    see a whole conversation, in a minute, with nothing set up",
            "relay cluster-demo                            see relays die, and conversations go on",
        ],
        ["relay demo"] =
        [
            "relay demo                     a contact outside talks to an echo bot through Relay",
            "relay demo --contact libotr    the contact is the system's libotr",
            "relay demo --stay              leave it running, and say what to try next",
            "relay demo --json              the transcript, for machines",
        ],
        ["relay cluster-demo"] =
        [
            "relay cluster-demo                       three relays: killed, hung and restarted",
            "relay cluster-demo --install             the same, once PostgreSQL is installed (root, Debian)",
            "relay cluster-demo --conversations 100 --json",
        ],
        ["relay load"] =
        [
            "relay load --seconds 60                  while a server is restarted, say",
            "relay load --server https://127.0.0.1:7421,https://127.0.0.1:7422 --conversations 100 --json",
        ],
        ["relay otr-peer"] = ["printf 'start\\nquit\\n' | relay otr-peer alice bob"],
        ["relay bench"] = ["relay bench otr", "relay bench server --json figures.json"],
        ["relay bench server"] =
        [
            "relay bench server                              every row, in some minutes",
            "relay bench server --json figures.json          the same, and for machines in a file",
            "relay bench server --short --only embedded-one-way failover",
        ],
        ["relay bench otr"] =
        [
            "relay bench otr                        a table, in about a minute",
            "relay bench otr --json figures.json    the same, and for machines in a file",
            "relay bench otr --rounds 3 --only ake ping-pong",
        ],
    };

    /// <summary>To be added to <see cref="RelayCommand"/>; new ones each time, because a command belongs to one tree.</summary>
    public static AddedCommands Create() => new(
        [DemoCommand.Create(), ClusterDemoCommand.Create(), LoadCommand.Create(), BenchCommand.Create(), OtrPeerCommand.Create()],
        s_examples);
}
