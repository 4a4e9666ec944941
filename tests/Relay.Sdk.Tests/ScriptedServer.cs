using System.Collections.Concurrent;
using System.Net;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Relay.V1;

namespace Relay.Sdk.Tests;

/// <summary>A server of subscriptions that does what a test says, right or wrong, and writes down what is asked of it.</summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    public const string Subscription = "endpoints/e/subscriptions/bot";
    private readonly WebApplication _app;
    private readonly TaskCompletionSource _closing = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _streams;

    private ScriptedServer(WebApplication app) => _app = app;

    public string Address => _app.Urls.Single();

    /// <summary>What the readers have asked for: <c>attach 1</c>, <c>ack 1</c>, <c>nack 1 10s</c>, <c>drop 1</c>, <c>pull 1</c>, <c>call ack 1</c>, …</summary>
    public ConcurrentQueue<string> Asked { get; } = [];

    /// <summary>A script for each stream that is opened, in order; none: there is no such method.</summary>
    public Func<ScriptedStream, Task>[] Streams { get; private init; } = [];

    /// <summary>What each pull gets, in order.</summary>
    public ConcurrentQueue<Event> Pulled { get; } = [];

    /// <summary>Acknowledgements by calls are answered after it.</summary>
    public Task CallsAnswered { get; set; } = Task.CompletedTask;

    public static async Task<ScriptedServer> StartAsync(params Func<ScriptedStream, Task>[] streams)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0, l => l.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        var service = new Service();
        builder.Services.AddSingleton(service);
        builder.Services.AddRouting();
        var app = builder.Build();
        app.MapGrpcService<Service>();
        var server = service.Server = new ScriptedServer(app) { Streams = streams };
        await app.StartAsync();
        return server;
    }

    public static Event Text(int cursor, string text, int delivery = 1, string peer = "p") => new()
    {
        Endpoint = "endpoints/e", Conversation = $"endpoints/e/conversations/{peer}", Peer = peer, Subscription = Subscription, Cursor = $"{cursor}",
        Delivery = delivery, TextReceived = new TextReceived { Text = text },
    };

    public async ValueTask DisposeAsync()
    {
        _closing.SetResult();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private static string Seconds(Duration duration) => FormattableString.Invariant($"{duration.ToTimeSpan().TotalSeconds}s");

    private static string Given(IEnumerable<string> cursors, bool terminate, Duration delay) =>
        terminate ? $"drop {string.Join(',', cursors)}" : $"nack {string.Join(',', cursors)} {Seconds(delay)}";

    internal sealed class Service : SubscriptionService.SubscriptionServiceBase
    {
        public ScriptedServer Server { get; set; } = null!;

        public override Task<Subscription> CreateSubscription(CreateSubscriptionRequest request, ServerCallContext context) =>
            Task.FromResult(new Subscription { Name = Subscription, AckWait = Duration.FromTimeSpan(TimeSpan.FromMinutes(10)) });

        public override async Task Subscribe(
            IAsyncStreamReader<SubscribeRequest> requestStream, IServerStreamWriter<SubscribeResponse> responseStream, ServerCallContext context)
        {
            int at = Interlocked.Increment(ref Server._streams) - 1;
            if (Server.Streams.Length == 0)
            {
                Server.Asked.Enqueue("no stream");
                throw new RpcException(new Status(StatusCode.Unimplemented, "There is no such method."));
            }
            if (at < Server.Streams.Length) await Server.Streams[at](new ScriptedStream(Server, requestStream, responseStream));
        }

        public override async Task<PullSubscriptionResponse> PullSubscription(PullSubscriptionRequest request, ServerCallContext context)
        {
            Server.Asked.Enqueue($"pull {request.MaxEvents}");
            Event? next;
            while (!Server.Pulled.TryDequeue(out next)) await Task.Delay(20, context.CancellationToken);
            return new PullSubscriptionResponse { Events = { next } };
        }

        public override async Task<AckSubscriptionResponse> AckSubscription(AckSubscriptionRequest request, ServerCallContext context)
        {
            Server.Asked.Enqueue($"call ack {string.Join(',', request.Cursors)}");
            await Server.CallsAnswered;
            return new AckSubscriptionResponse();
        }

        public override Task<NackSubscriptionResponse> NackSubscription(NackSubscriptionRequest request, ServerCallContext context)
        {
            Server.Asked.Enqueue("call " + Given(request.Cursors, request.Terminate, request.Delay));
            return Task.FromResult(new NackSubscriptionResponse());
        }
    }

    /// <summary>One stream, as the script of it sees it.</summary>
    internal sealed class ScriptedStream(
        ScriptedServer server, IAsyncStreamReader<SubscribeRequest> requests, IServerStreamWriter<SubscribeResponse> responses)
    {
        /// <summary>Reads the next request but changes of credit, and writes it down.</summary>
        public async Task<string> NextAsync()
        {
            while (await requests.MoveNext())
            {
                var request = requests.Current;
                var asked = request.MessageCase switch
                {
                    SubscribeRequest.MessageOneofCase.Attach => $"attach {request.Attach.Credit}",
                    SubscribeRequest.MessageOneofCase.Ack => $"ack {string.Join(',', request.Ack.Cursors)}",
                    SubscribeRequest.MessageOneofCase.Nack => Given(request.Nack.Cursors, request.Nack.Terminate, request.Nack.Delay),
                    _ => "",
                };
                if (asked.Length == 0) continue;
                server.Asked.Enqueue(asked);
                return asked;
            }
            return "end";
        }

        public Task GiveAsync(int cursor, string text, int delivery = 1, string peer = "p") =>
            responses.WriteAsync(new SubscribeResponse { Event = Text(cursor, text, delivery, peer) });

        public Task ConfirmAsync(int cursor, string reason = "") =>
            responses.WriteAsync(new SubscribeResponse { Settled = new EventsSettled { Cursors = { $"{cursor}" }, RejectReason = reason } });

        public Task DrainAsync() => responses.WriteAsync(new SubscribeResponse { Draining = new Draining() });

        /// <summary>Stays open, and confirms whatever comes, until the reader ends it.</summary>
        public async Task StayAsync()
        {
            using var end = new CancellationTokenSource();
            var alive = KeepAliveAsync(end.Token);
            while (await NextAsync() != "end") { }
            await end.CancelAsync();
            await alive;
        }

        /// <summary>Stays open and says nothing.</summary>
        public Task BeSilentAsync() => server._closing.Task;

        private async Task KeepAliveAsync(CancellationToken end)
        {
            while (!end.IsCancellationRequested)
            {
                await responses.WriteAsync(new SubscribeResponse { KeepAlive = new KeepAlive() }, CancellationToken.None);
                await Task.Delay(100, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}
