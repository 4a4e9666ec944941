using System.Diagnostics;
using OpenTelemetry;

namespace Relay.Gateway.Telemetry;

/// <summary>Takes from server spans what tells who called: a client's address and program, and what came after the path.</summary>
internal sealed class ConnectionDetailsRemover : BaseProcessor<Activity>
{
    private static readonly string[] s_removed =
        ["client.address", "client.port", "network.peer.address", "network.peer.port", "user_agent.original", "url.query", "url.full"];

    public override void OnEnd(Activity data)
    {
        foreach (var tag in s_removed) data.SetTag(tag, null);
    }
}
