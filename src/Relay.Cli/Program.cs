using System.CommandLine;
using Relay.Cli.OtrPeer;

var root = new RootCommand("Relay: the server that holds Off-the-Record conversations for others.") { OtrPeerCommand.Create() };
return await root.Parse(args).InvokeAsync();
