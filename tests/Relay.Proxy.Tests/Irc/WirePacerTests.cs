using System.Text;
using Relay.Proxy.Irc;

namespace Relay.Proxy.Tests.Irc;

/// <summary>OTR lines leave in order, five at once and then one each interval.</summary>
public sealed class WirePacerTests
{
    [Fact]
    public async Task Five_lines_leave_at_once_and_the_sixth_waits()
    {
        using var stop = new CancellationTokenSource();
        var queue = new WriteQueue();
        // An interval that does not pass while the test runs.
        var pacer = new WirePacer(queue, TimeSpan.FromHours(1), TimeProvider.System);
        using var written = new MemoryStream();
        var count = 0;
        for (var i = 0; i < 6; i++) pacer.Add(Encoding.ASCII.GetBytes($"{i}"), () => Interlocked.Increment(ref count));
        var running = pacer.RunAsync(stop.Token);
        var writing = queue.RunAsync(written, stop.Token);
        await Wait.UntilAsync(() => Volatile.Read(ref count) == 5);
        // What does not wait here passes by.
        queue.Add("PONG"u8.ToArray(), () => Interlocked.Increment(ref count));
        await Wait.UntilAsync(() => Volatile.Read(ref count) == 6);
        Assert.Equal("01234PONG", Encoding.ASCII.GetString(written.ToArray()));
        await stop.CancelAsync();
        await Task.WhenAll(running, writing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
    }

    [Fact]
    public async Task The_client_is_read_on_only_while_there_is_room()
    {
        using var stop = new CancellationTokenSource();
        var queue = new WriteQueue();
        var pacer = new WirePacer(queue, TimeSpan.Zero, TimeProvider.System);
        for (var i = 0; i < ProxyLimits.IrcQueuedLines; i++) pacer.Add([1], null);
        var room = pacer.HasRoomAsync(stop.Token);
        Assert.False(room.IsCompleted);
        var running = pacer.RunAsync(stop.Token);
        await room.InTime();
        await stop.CancelAsync();
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
    }
}
