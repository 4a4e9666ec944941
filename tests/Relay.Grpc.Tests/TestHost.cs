using Grpc.AspNetCore.Server;
using Grpc.Net.Client;
using GrpcTests.Echo;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace GrpcTests;

/// <summary>A server with the echo service on a free loopback port, and a channel to it.</summary>
public sealed class TestHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TestHost(WebApplication app, Uri address)
    {
        _app = app;
        Address = address;
        Channel = GrpcChannel.ForAddress(address);
    }

    public Uri Address { get; }

    public GrpcChannel Channel { get; }

    public IServiceProvider Services => _app.Services;

    public CallLog Log => _app.Services.GetRequiredService<CallLog>();

    public EchoService.EchoServiceClient Echo => new(Channel);

    public static async Task<TestHost> StartAsync(
        Action<GrpcServiceOptions>? configure = null,
        Action<IServiceCollection>? services = null,
        Action<WebApplication>? map = null,
        Action<ListenOptions>? listen = null,
        bool tls = false)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0, endpoint =>
        {
            endpoint.Protocols = HttpProtocols.Http2;
            listen?.Invoke(endpoint);
        }));
        builder.Services.AddSingleton<CallLog>();
        builder.Services.AddGrpc(options => configure?.Invoke(options));
        services?.Invoke(builder.Services);
        WebApplication app = builder.Build();
        app.MapGrpcService<EchoServer>();
        map?.Invoke(app);
        await app.StartAsync();
        var address = new Uri(app.Urls.Single());
        return new TestHost(app, new UriBuilder(address) { Scheme = tls ? "https" : "http" }.Uri);
    }

    public async ValueTask DisposeAsync()
    {
        Channel.Dispose();
        Log.Release.TrySetResult();
        await _app.DisposeAsync();
    }
}
