using System.CommandLine;
using Otr.Core;

namespace Relay.Lab.OtrPeer;

/// <summary><c>relay otr-peer</c>: one OTR endpoint, driven over stdin and stdout.</summary>
public static class OtrPeerCommand
{
    public static Command Create()
    {
        var own = new Argument<string>("own-account") { Description = "This endpoint's account name." };
        var peer = new Argument<string>("peer-account") { Description = "The other side's account name." };
        var command = new Command("otr-peer", "One OTR endpoint driven by lines on stdin, events as JSON lines on stdout: for putting Otr.Core against other implementations.")
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
