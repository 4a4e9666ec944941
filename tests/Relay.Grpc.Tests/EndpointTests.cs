using System.ComponentModel;
using Grpc.AspNetCore.Server;
using GrpcTests.Echo;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcTests;

/// <summary>Services as endpoints of ASP.NET Core: what authorisation and other middleware go by.</summary>
public sealed class EndpointTests
{
    [Fact]
    public async Task An_endpoint_has_the_attributes_of_its_method_and_the_conventions_of_its_service()
    {
        await using TestHost host = await TestHost.StartAsync(map: app =>
            app.MapGrpcService<Described>().Add(endpoint => endpoint.Metadata.Add("convention")));
        RouteEndpoint[] endpoints =
        [
            .. host.Services.GetServices<EndpointDataSource>().SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
                .Where(endpoint => endpoint.Metadata.GetMetadata<GrpcMethodMetadata>()?.ServiceType == typeof(Described)),
        ];
        Assert.Equal(5, endpoints.Length);
        Assert.All(endpoints, endpoint => Assert.Equal("convention", endpoint.Metadata.GetMetadata<string>()));
        Assert.All(endpoints, endpoint => Assert.Equal("service", endpoint.Metadata.GetMetadata<CategoryAttribute>()?.Category));
        RouteEndpoint unary = Assert.Single(endpoints, endpoint => endpoint.Metadata.GetMetadata<DescriptionAttribute>() is not null);
        Assert.Equal("/relay.grpc.test.EchoService/Unary", unary.RoutePattern.RawText);
    }

    [Fact]
    public async Task Endpoints_of_others_keep_their_requests()
    {
        await using TestHost host = await TestHost.StartAsync(map: app => app.MapPost("/{a}/{b}", (string a, string b) => $"{a} {b}"));
        using var http = new RawClient(host.Address);
        using HttpResponseMessage response = await http.SendAsync(HttpMethod.Post, "/one/two", [], "text/plain", []);
        Assert.Equal("one two", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public void A_type_that_is_no_service_is_refused()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        WebApplication without = builder.Build();
        Assert.Throws<InvalidOperationException>(() => without.MapGrpcService<EchoServer>());
        WebApplicationBuilder second = WebApplication.CreateSlimBuilder();
        second.Services.AddGrpc();
        WebApplication with = second.Build();
        Assert.Throws<InvalidOperationException>(() => with.MapGrpcService<string>());
    }

    [Category("service")]
    private sealed class Described : EchoService.EchoServiceBase
    {
        [Description("method")]
        public override Task<EchoResponse> Unary(EchoRequest request, Grpc.Core.ServerCallContext context) => Task.FromResult(new EchoResponse());
    }
}
