using System.CommandLine;
using Otr.Core;

namespace Relay.Lab.OtrPeer;

/// <summary><c>relay otr-peer</c>: one OTR endpoint, controlled by stdin and stdout.</summary>
public static class OtrPeerCommand
{
    public static Command Create()
    {
        var own = new Argument<string>("own-account") { Description = "This endpoint's account name." };
        var peer = new Argument<string>("peer-account") { Description = "The peer's account name." };
        var command = new Command("otr-peer", "Run one OTR endpoint with commands on stdin and events as JSON lines on stdout, "
            + "to test Otr.Core against other implementations.")
        {
            own, peer,
        };
        command.SetAction(async (result, cancellation) =>
        {
            using var input = new StreamReader(Console.OpenStandardInput());
            await using var output = new StreamWriter(Console.OpenStandardOutput());
            using var endpoint = new LinePeer(result.GetRequiredValue(own), output, SystemRandom.Instance, TimeProvider.System);
            await output.FlushAsync(cancellation);
            while (await input.ReadLineAsync(cancellation) is { } line && endpoint.Execute(line.TrimEnd('\r'))) { }
            return 0;
        });
        return command;
    }
}
