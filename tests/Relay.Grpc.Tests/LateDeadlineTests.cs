using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Http;

namespace GrpcTests;

/// <summary>A timer may be on its way while its call ends: what it then does runs on a thread where a throw ends the process.</summary>
public sealed class LateDeadlineTests
{
    [Fact]
    public void A_deadline_that_comes_after_the_calls_end_does_nothing()
    {
        var clock = new LateClock();
        var http = new DefaultHttpContext();
        http.Request.Headers["grpc-timeout"] = "1S";
        var call = new HttpContextServerCallContext(http, new ServerMethodOptions(new GrpcServiceOptions(), clock));
        call.Start();
        Assert.NotNull(clock.Fire);
        call.Dispose();
        Assert.Null(Record.Exception(clock.Fire));
    }

    private sealed class LateClock : TimeProvider
    {
        public Action? Fire { get; private set; }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Fire = () => callback(state);
            return new DisposedInVain();
        }
    }

    private sealed class DisposedInVain : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
