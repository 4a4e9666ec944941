using System.Net;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Relay.Client;
using Relay.V1;

namespace Relay.Lab.Bench.Server;

/// <summary>A subscription whose events the server posts to this process.</summary>
internal sealed class WebhookReading : BotReading, IAsyncDisposable
{
    private static readonly JsonParser s_parser = new(JsonParser.Settings.Default.WithIgnoreUnknownFields(true));
    private readonly WebApplication _app;
    private Action<Event, BotEvent?> _hear = (_, _) => { };

    private WebhookReading(WebApplication app) => _app = app;

    public override bool IsBySubscription => true;

    public static async Task<WebhookReading> StartAsync(CancellationToken cancellation)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
        builder.Logging.ClearProviders();
        var reading = new WebhookReading(builder.Build());
        reading._app.Run(reading.ReceiveAsync);
        await reading._app.StartAsync(cancellation);
        return reading;
    }

    public override Task PrepareAsync(RelayClient admin, string endpoint, CancellationToken cancellation) =>
        SubscribeAsync(admin, endpoint, "hook", new Webhook { Url = $"{_app.Urls.First()}/hook" }, cancellation);

    public override Task RunAsync(
        RelayClient client, IReadOnlyList<string> endpoints, Action<Event, BotEvent?> hear, CancellationToken cancellation)
    {
        _hear = hear;
        return Task.Delay(Timeout.Infinite, cancellation);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task ReceiveAsync(HttpContext context)
    {
        using var body = new StreamReader(context.Request.Body);
        _hear(s_parser.Parse<Event>(await body.ReadToEndAsync(context.RequestAborted)), null);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }
}
