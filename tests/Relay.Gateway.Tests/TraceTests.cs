using System.Collections.Concurrent;
using System.Diagnostics;
using Google.Protobuf;
using Grpc.Core;
using Relay.Actors.Telemetry;
using Relay.Gateway.Tests.Harness;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>Traces as a collector gets them: from a call, or from one message of a stream, to the commit.</summary>
public sealed class TraceTests : IDisposable
{
    private readonly ConcurrentQueue<Activity> _ended = [];
    private readonly ActivityListener _listener;

    public TraceTests()
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is RelayTelemetry.ActivitySourceName or "Relay.Gateway" or "Microsoft.AspNetCore",
            Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = _ended.Enqueue,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    [Fact]
    public async Task A_call_is_one_trace_down_to_the_commit()
    {
        await using var server = await TestServer.StartAsync();
        var endpoint = await server.CreateEndpointAsync("e");
        await using var bridge = await server.ConnectAsync(Scope.Bridge);
        var (caller, header) = NewCaller();
        await bridge.BridgeStreams.PushWireAsync(new PushWireRequest { Message = Wire(endpoint, "alice", "m1") }, new CallOptions(new Metadata { { "traceparent", header } }));
        await Patience.UntilAsync(() => Of(caller).Count == 4);
        var spans = Of(caller);
        var call = Assert.Single(spans, s => s.Kind == ActivityKind.Server);
        var send = Assert.Single(spans, s => s.OperationName == "send conversation");
        Assert.Equal(call.SpanId, send.ParentSpanId);
        Assert.Equal("receive_wire", send.GetTagItem("relay.command"));
        Assert.Equal("done", send.GetTagItem("relay.outcome"));
        var process = Assert.Single(spans, s => s.OperationName == "process conversation");
        Assert.Equal((send.SpanId, "receive_wire", "done"), (process.ParentSpanId, process.GetTagItem("relay.command"), process.GetTagItem("relay.outcome")));
        var commit = Assert.Single(spans, s => s.OperationName == "store.commit");
        Assert.Equal((send.SpanId, 1), (commit.ParentSpanId, commit.GetTagItem("relay.conversation.batch.size")));
        Assert.True(commit.StartTimeUtc >= process.StartTimeUtc);
    }

    [Fact]
    public async Task Each_message_of_a_stream_is_a_trace_of_its_own_with_a_link_to_the_streams()
    {
        await using var server = await TestServer.StartAsync();
        var endpoint = await server.CreateEndpointAsync("e");
        await using var bridge = await server.ConnectAsync(Scope.Bridge);
        var (caller, header) = NewCaller();
        using (var stream = bridge.BridgeStreams.StreamWire(new CallOptions(new Metadata { { "traceparent", header } })))
        {
            await stream.RequestStream.WriteAsync(new StreamWireRequest { Open = new OpenStream { Endpoint = endpoint } });
            await stream.RequestStream.WriteAsync(new StreamWireRequest { Inbound = Wire(endpoint, "alice", "m1") });
            await stream.RequestStream.WriteAsync(new StreamWireRequest { Inbound = Wire(endpoint, "bob", "m2") });
            await stream.RequestStream.WriteAsync(new StreamWireRequest { Inbound = Wire(endpoint, "", "m3") });
            for (int results = 0; results < 3;)
            {
                Assert.True(await stream.ResponseStream.MoveNext(Patience.Token));
                if (stream.ResponseStream.Current.InboundResult is not null) results++;
            }
            await stream.RequestStream.CompleteAsync();
        }
        await Patience.UntilAsync(() => Messages().Count == 3 && Messages().Count(m => Of(m.TraceId).Count == 4) == 2);
        Assert.Equal(3, Messages().Select(m => m.TraceId).Distinct().Count());
        foreach (var message in Messages())
        {
            Assert.Equal(default, message.ParentSpanId);
            Assert.Equal("process wire", message.OperationName);
            var outcome = message.GetTagItem("relay.outcome");
            var spans = Of(message.TraceId);
            if (spans.Count == 1)
            {
                Assert.Equal("rejected", outcome);
                continue;
            }
            Assert.Equal("accepted", outcome);
            var send = Assert.Single(spans, s => s.OperationName == "send conversation");
            Assert.Equal(message.SpanId, send.ParentSpanId);
            Assert.Equal(send.SpanId, Assert.Single(spans, s => s.OperationName == "process conversation").ParentSpanId);
            Assert.Equal(send.SpanId, Assert.Single(spans, s => s.OperationName == "store.commit").ParentSpanId);
        }
        // Of the stream's own trace nothing but the stream.
        Assert.All(Of(caller), s => Assert.Equal(ActivityKind.Server, s.Kind));

        List<Activity> Messages() => [.. _ended.Where(a => a.Links.Any(l => l.Context.TraceId == caller))];
    }

    [Fact]
    public async Task A_caller_that_is_not_sampled_costs_no_spans()
    {
        await using var server = await TestServer.StartAsync();
        var endpoint = await server.CreateEndpointAsync("e");
        await using var bridge = await server.ConnectAsync(Scope.Bridge);
        _listener.Sample = (ref options) =>
            options.Parent.TraceFlags.HasFlag(ActivityTraceFlags.Recorded) ? ActivitySamplingResult.AllDataAndRecorded : ActivitySamplingResult.PropagationData;
        var (caller, header) = NewCaller();
        await bridge.BridgeStreams.PushWireAsync(
            new PushWireRequest { Message = Wire(endpoint, "alice", "m1") }, new CallOptions(new Metadata { { "traceparent", header[..^2] + "00" } }));
        Assert.DoesNotContain(Of(caller), s => s.OperationName == "store.commit" || s.TagObjects.Any(t => t.Key.StartsWith("relay.", StringComparison.Ordinal)));
    }

    public void Dispose() => _listener.Dispose();

    private List<Activity> Of(ActivityTraceId trace) => [.. _ended.Where(a => a.TraceId == trace)];

    private static (ActivityTraceId Trace, string Header) NewCaller()
    {
        var trace = ActivityTraceId.CreateRandom();
        return (trace, $"00-{trace}-{ActivitySpanId.CreateRandom()}-01");
    }

    private static InboundWire Wire(string endpoint, string peer, string id) =>
        new() { Endpoint = endpoint, Peer = peer, MessageId = id, Text = ByteString.CopyFromUtf8("hello") };
}
