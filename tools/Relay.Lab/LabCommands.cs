using Relay.Cli;
using Relay.Lab.Bench;
using Relay.Lab.ClusterDemo;
using Relay.Lab.Demo;
using Relay.Lab.Load;
using Relay.Lab.OtrPeer;

namespace Relay.Lab;

/// <summary>The commands that a source checkout adds to the product's: demos, load, benchmarks, an OTR test peer.</summary>
public static class LabCommands
{
    private static readonly Dictionary<string, string[]> s_examples = new()
    {
        ["relay"] =
        [
            "relay demo                                    a whole conversation, in a minute, without any setup",
            "relay cluster-demo                            nodes are killed, hang and restart, and the others take over their conversations",
        ],
        ["relay demo"] =
        [
            "relay demo                     an external contact talks to an echo bot through Relay",
            "relay demo --contact libotr    the contact uses the installed libotr",
            "relay demo --stay              keep everything running, and show what to try next",
            "relay demo --json              print the transcript as JSON",
        ],
        ["relay cluster-demo"] =
        [
            "relay cluster-demo                       three nodes: killed, hung and restarted",
            "relay cluster-demo --install             install PostgreSQL first (as root, on Debian)",
            "relay cluster-demo --conversations 100 --json",
        ],
        ["relay load"] =
        [
            "relay load --seconds 60                  for example while a server is restarted",
            "relay load --server https://127.0.0.1:7421,https://127.0.0.1:7422 --conversations 100 --json",
            "relay load --endpoint rehearsal          at an endpoint of the network 'load', which stays",
        ],
        ["relay otr-peer"] = ["printf 'start\\nquit\\n' | relay otr-peer alice bob"],
        ["relay bench"] = ["relay bench otr", "relay bench server --json figures.json"],
        ["relay bench server"] =
        [
            "relay bench server                              all rows, in a few minutes",
            "relay bench server --json figures.json          also write the results to a file as JSON",
            "relay bench server --short --only embedded-one-way failover",
            "relay bench server --only embedded-one-way --against ../before --rounds 5",
        ],
        ["relay bench bridge"] =
        [
            "relay bench bridge                              the bridges with Prosody and ngIRCd, in a few minutes",
            "relay bench bridge --only xmpp-one-way --json figures.json",
        ],
        ["relay bench otr"] =
        [
            "relay bench otr                        print a table, in about a minute",
            "relay bench otr --json figures.json    also write the results to a file as JSON",
            "relay bench otr --rounds 3 --only ake ping-pong",
        ],
    };

    /// <summary>
    /// Creates the commands to add to <see cref="RelayCommand"/>; new ones at each call, because a command has one parent.
    /// </summary>
    public static AddedCommands Create() => new(
        [DemoCommand.Create(), ClusterDemoCommand.Create(), LoadCommand.Create(), BenchCommand.Create(), OtrPeerCommand.Create()],
        s_examples);
}
