using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Relay.Actors;
using Relay.Gateway.Hosting;

namespace Relay.Gateway.Tests.Harness;

/// <summary>A server composed as <c>relay serve</c> composes it, in this process.</summary>
public sealed class ServerHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private Task? _stopped;

    private ServerHost(WebApplication app)
    {
        _app = app;
        Address = Services.GetRequiredService<Listeners>().Address;
    }

    /// <summary>Also once it is gone: another may start there.</summary>
    public Uri Address { get; }

    public Uri? HttpAddress => Services.GetRequiredService<Listeners>().HttpAddress;

    public Uri? ConsoleAddress => Services.GetRequiredService<Listeners>().ConsoleAddress;

    public Uri? HealthAddress => Services.GetRequiredService<Listeners>().HealthAddress;

    public bool MadeAdminKey => Services.GetRequiredService<ServerInfo>().MadeAdminKey;

    public IServiceProvider Services => _app.Services;

    /// <param name="settings">By the name of a switch or by key. A free loopback port, and no log, unless they say otherwise.</param>
    /// <param name="relay">Put in the place of the actors; null: the real ones.</param>
    /// <param name="map">Maps more than a server has.</param>
    /// <param name="end">Told the exit code instead of the process.</param>
    /// <param name="time">The server's clock; null: the system's.</param>
    /// <param name="wrap">Puts something around the real actors.</param>
    public static Task<ServerHost> StartAsync(
        Dictionary<string, string> settings, IRelay? relay = null, Action<WebApplication>? map = null, EndProcess? end = null, TimeProvider? time = null, Func<IRelay, IRelay>? wrap = null)
    {
        var all = new Dictionary<string, string> { ["--listen"] = "127.0.0.1:0", ["--log-level"] = "None" };
        foreach (var (name, value) in settings) all[name] = value;
        return StartAsync(Path.GetTempPath(), all, relay, map, end, time, wrap);
    }

    /// <summary>With nothing but the files of a directory.</summary>
    public static Task<ServerHost> StartFromAsync(string directory) => StartAsync(directory, null, null, null, null, null, null);

    private static async Task<ServerHost> StartAsync(string directory, Dictionary<string, string>? settings, IRelay? relay, Action<WebApplication>? map, EndProcess? end, TimeProvider? time, Func<IRelay, IRelay>? wrap)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = directory, EnvironmentName = "Test" });
        if (relay is not null) builder.Services.AddSingleton<OpenRelay>((_, _, _) => Task.FromResult(relay));
        if (wrap is not null) builder.Services.AddSingleton<OpenRelay>(async (o, loggers, c) => wrap(await EmbeddedRelay.OpenAsync(new EmbeddedRelayOptions(o.DataDirectory), loggers, TimeProvider.System, Otr.Core.SystemRandom.Instance, c)));
        if (time is not null) builder.Services.AddSingleton(time);
        // A test's process is not to be ended.
        builder.Services.AddSingleton(end ?? (static code => throw new InvalidOperationException($"The server would have ended with code {code}.")));
        builder.AddRelay(settings);
        builder.Services.AddSingleton<IHostLifetime, NoSignals>();
        var app = builder.Build();
        app.MapRelay();
        map?.Invoke(app);
        try
        {
            await app.StartRelayAsync(CancellationToken.None);
            return new ServerHost(app);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops as at SIGTERM; false if work in flight took longer than it may.</summary>
    public async Task<bool> DrainAsync(CancellationToken cancellation)
    {
        await (_stopped ??= _app.StopAsync(cancellation));
        return Services.GetRequiredService<ServerInfo>().DrainedInTime;
    }

    /// <summary>Stops at once, unless it has been drained.</summary>
    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        await (_stopped ??= _app.StopAsync(now.Token));
        await _app.DisposeAsync();
    }

    private sealed class NoSignals : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;
        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
