using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Relay.Lab.Demo;

namespace Relay.Lab.Load;

/// <summary>A peer in a separate process that is controlled by the line protocol, such as libotr.</summary>
internal sealed class ProcessPeer : ILoadPeer
{
    private readonly ILoadPeerListener _listener;
    private ContactProcess _process = null!;

    private ProcessPeer(ILoadPeerListener listener) => _listener = listener;

    public static async Task<ProcessPeer> StartAsync(
        ProcessStartInfo info, int maxWireBytes, ILoadPeerListener listener, CancellationToken cancellation)
    {
        var peer = new ProcessPeer(listener);
        peer._process = await ContactProcess.StartAsync(info, peer.OnEventAsync, cancellation);
        if (maxWireBytes > 0) await peer._process.RunAsync($"fragment {maxWireBytes}", cancellation);
        return peer;
    }

    public async ValueTask StartAsync(CancellationToken cancellation) => await _process.RunAsync("start", cancellation);

    public async ValueTask SendAsync(string text, CancellationToken cancellation) => await _process.SendAsync(text, cancellation);

    public async ValueTask ReceiveAsync(ReadOnlyMemory<byte> wire, CancellationToken cancellation)
        => await _process.ReceiveAsync(wire, cancellation);

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private ValueTask OnEventAsync(JsonElement e)
    {
        switch (e.GetProperty("event").GetString())
        {
            case "wire": _listener.Wire(e.GetProperty("data").GetBytesFromBase64()); break;
            case "plain":
                var text = Encoding.UTF8.GetString(e.GetProperty("data").GetBytesFromBase64());
                _listener.Read(text, e.GetProperty("encrypted").GetBoolean());
                break;
            case "state" when e.GetProperty("state").GetString() == "ENCRYPTED": _listener.SessionBegan(); break;
            case "state": _listener.SessionEnded(); break;
            case "error": _listener.Refused(e.GetProperty("code").GetString() ?? ""); break;
        }
        return ValueTask.CompletedTask;
    }
}
