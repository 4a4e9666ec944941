using Grpc.Core;
using Grpc.Health.V1;
using Grpc.HealthCheck;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using ServingStatus = Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace GrpcTests;

/// <summary>grpc.health.v1.</summary>
public sealed class HealthTests
{
    [Fact]
    public async Task Check_tells_the_status()
    {
        HealthServiceImpl health = new();
        await using TestHost host = await StartAsync(health);
        var client = new Health.HealthClient(host.Channel);
        health.SetStatus("", ServingStatus.Serving);
        Assert.Equal(ServingStatus.Serving, (await client.CheckAsync(new HealthCheckRequest())).Status);
        health.SetStatus("", ServingStatus.NotServing);
        Assert.Equal(ServingStatus.NotServing, (await client.CheckAsync(new HealthCheckRequest())).Status);
        health.ClearAll();
        RpcException exception = await Assert.ThrowsAsync<RpcException>(() => client.CheckAsync(new HealthCheckRequest()).ResponseAsync);
        Assert.Equal(StatusCode.NotFound, exception.StatusCode);
    }

    [Fact]
    public async Task Watch_follows_the_status()
    {
        HealthServiceImpl health = new();
        await using TestHost host = await StartAsync(health);
        using AsyncServerStreamingCall<HealthCheckResponse> call = new Health.HealthClient(host.Channel).Watch(new HealthCheckRequest { Service = "s" });
        Assert.Equal(ServingStatus.ServiceUnknown, await NextAsync(call));
        health.SetStatus("s", ServingStatus.Serving);
        Assert.Equal(ServingStatus.Serving, await NextAsync(call));
        health.SetStatus("other", ServingStatus.NotServing);
        health.SetStatus("s", ServingStatus.Serving);
        health.SetStatus("s", ServingStatus.NotServing);
        Assert.Equal(ServingStatus.NotServing, await NextAsync(call));
        health.ClearStatus("s");
        Assert.Equal(ServingStatus.ServiceUnknown, await NextAsync(call));
    }

    [Fact]
    public async Task Watchers_learn_that_the_server_stops()
    {
        await using TestHost host = await StartAsync(null);
        host.Services.GetRequiredService<HealthServiceImpl>().SetStatus("s", ServingStatus.Serving);
        using AsyncServerStreamingCall<HealthCheckResponse> call = new Health.HealthClient(host.Channel).Watch(new HealthCheckRequest { Service = "s" });
        Assert.Equal(ServingStatus.Serving, await NextAsync(call));
        host.Services.GetRequiredService<Microsoft.Extensions.Hosting.IHostApplicationLifetime>().StopApplication();
        Assert.Equal(ServingStatus.NotServing, await NextAsync(call));
        RpcException exception = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(default));
        Assert.Equal(StatusCode.Unavailable, exception.StatusCode);
    }

    private static Task<TestHost> StartAsync(HealthServiceImpl? health) => TestHost.StartAsync(
        services: services => _ = health is null ? services.AddSingleton<HealthServiceImpl>() : services.AddSingleton(health),
        map: app => app.MapGrpcService<HealthServiceImpl>());

    private static async Task<ServingStatus> NextAsync(AsyncServerStreamingCall<HealthCheckResponse> call)
    {
        Assert.True(await call.ResponseStream.MoveNext(default));
        return call.ResponseStream.Current.Status;
    }
}
