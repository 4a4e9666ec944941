using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Reflection.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcTests;

/// <summary>grpc.reflection.v1.</summary>
public sealed class ReflectionTests
{
    private const int NotFound = 5;

    [Fact]
    public async Task Services_are_listed()
    {
        ServerReflectionResponse response = await AskAsync(new ServerReflectionRequest { Host = "h", ListServices = "" });
        Assert.Equal(
            ["grpc.reflection.v1.ServerReflection", "relay.grpc.test.EchoService", "relay.grpc.test.ExtensionService"],
            response.ListServicesResponse.Service.Select(service => service.Name));
        Assert.Equal("h", response.ValidHost);
        Assert.Equal("h", response.OriginalRequest.Host);
    }

    [Theory]
    [InlineData("relay.grpc.test.EchoService", "echo.proto")]
    [InlineData("relay.grpc.test.EchoService.Unary", "echo.proto")]
    [InlineData("relay.grpc.test.EchoRequest", "echo.proto")]
    [InlineData("relay.grpc.test.EchoRequest.text", "echo.proto")]
    [InlineData("relay.grpc.test.nickname", "extensions.proto")]
    [InlineData("grpc.reflection.v1.ServerReflectionRequest.message_request", "grpc/reflection/v1/reflection.proto")]
    public async Task A_symbol_has_a_file(string symbol, string file)
    {
        ServerReflectionResponse response = await AskAsync(new ServerReflectionRequest { FileContainingSymbol = symbol });
        Assert.Equal(file, FileDescriptorProto.Parser.ParseFrom(response.FileDescriptorResponse.FileDescriptorProto[0]).Name);
    }

    [Fact]
    public async Task A_file_has_a_name()
    {
        ServerReflectionResponse response = await AskAsync(new ServerReflectionRequest { FileByFilename = "echo.proto" });
        Assert.Equal("relay.grpc.test", FileDescriptorProto.Parser.ParseFrom(Assert.Single(response.FileDescriptorResponse.FileDescriptorProto)).Package);
    }

    [Fact]
    public async Task Extensions_are_found()
    {
        ServerReflectionResponse file = await AskAsync(new ServerReflectionRequest { FileContainingExtension = new ExtensionRequest { ContainingType = "relay.grpc.test.Extended", ExtensionNumber = 101 } });
        Assert.Equal("extensions.proto", FileDescriptorProto.Parser.ParseFrom(file.FileDescriptorResponse.FileDescriptorProto[0]).Name);
        ServerReflectionResponse numbers = await AskAsync(new ServerReflectionRequest { AllExtensionNumbersOfType = "relay.grpc.test.Extended" });
        Assert.Equal([101], numbers.AllExtensionNumbersResponse.ExtensionNumber);
        ServerReflectionResponse none = await AskAsync(new ServerReflectionRequest { AllExtensionNumbersOfType = "relay.grpc.test.EchoRequest" });
        Assert.Empty(none.AllExtensionNumbersResponse.ExtensionNumber);
        Assert.Equal("relay.grpc.test.EchoRequest", none.AllExtensionNumbersResponse.BaseTypeName);
    }

    public static TheoryData<ServerReflectionRequest> Unknowns =>
    [
        new ServerReflectionRequest { FileByFilename = "no.proto" },
        new ServerReflectionRequest { FileContainingSymbol = "relay.grpc.test.Nothing" },
        new ServerReflectionRequest { FileContainingSymbol = "" },
        new ServerReflectionRequest { AllExtensionNumbersOfType = "no.Type" },
        new ServerReflectionRequest { FileContainingExtension = new ExtensionRequest { ContainingType = "relay.grpc.test.Extended", ExtensionNumber = 102 } },
        new ServerReflectionRequest { FileContainingExtension = new ExtensionRequest { ContainingType = "no.Type", ExtensionNumber = 101 } },
    ];

    [Theory]
    [MemberData(nameof(Unknowns), DisableDiscoveryEnumeration = true)]
    public async Task What_is_unknown_is_not_found(ServerReflectionRequest request) =>
        Assert.Equal(NotFound, (await AskAsync(request)).ErrorResponse.ErrorCode);

    [Fact]
    public async Task A_stream_goes_on_after_an_error()
    {
        await using TestHost host = await StartAsync();
        using var call = new ServerReflection.ServerReflectionClient(host.Channel).ServerReflectionInfo();
        foreach (bool known in new[] { false, true, false })
        {
            await call.RequestStream.WriteAsync(new ServerReflectionRequest { FileByFilename = known ? "echo.proto" : "no.proto" });
            Assert.True(await call.ResponseStream.MoveNext(default));
            Assert.Equal(known, call.ResponseStream.Current.ErrorResponse is null);
        }
    }

    private static Task<TestHost> StartAsync() => TestHost.StartAsync(
        services: services => services.AddGrpcReflection(),
        map: app =>
        {
            app.MapGrpcService<ExtensionServer>();
            app.MapGrpcReflectionService();
        });

    private static async Task<ServerReflectionResponse> AskAsync(ServerReflectionRequest request)
    {
        await using TestHost host = await StartAsync();
        using var call = new ServerReflection.ServerReflectionClient(host.Channel).ServerReflectionInfo();
        await call.RequestStream.WriteAsync(request);
        await call.RequestStream.CompleteAsync();
        Assert.True(await call.ResponseStream.MoveNext(default));
        ServerReflectionResponse response = call.ResponseStream.Current;
        Assert.False(await call.ResponseStream.MoveNext(default));
        return response;
    }

    private sealed class ExtensionServer : Extensions.ExtensionService.ExtensionServiceBase;
}
