using System.CommandLine;
using Relay.Cli.Bench;
using Relay.Cli.OtrPeer;

var root = new RootCommand("Relay: the server that holds Off-the-Record conversations for others.") { OtrPeerCommand.Create(), BenchCommand.Create() };
return await root.Parse(args).InvokeAsync();
