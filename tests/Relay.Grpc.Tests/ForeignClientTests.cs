using Grpc.Health.V1;
using Grpc.HealthCheck;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcTests;

/// <summary>Clients of other implementations against Relay.Grpc, in cleartext and over TLS.</summary>
public sealed class ForeignClientTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    /// <summary>What both clients do.</summary>
    public static TheoryData<string> Scenarios =>
    [
        "unary", "large", "client_stream", "client_stream_stopped", "server_stream", "server_stream_fails", "duplex",
        "oversize_request", "oversize_response", "unknown", "metadata", "error", "exception", "gzip", "health", "reflection",
    ];

    /// <summary>What is done over TLS as well.</summary>
    public static TheoryData<string> TlsScenarios => ["unary", "client_stream", "server_stream", "duplex", "error"];

    [Theory]
    [MemberData(nameof(Scenarios))]
    [InlineData("error_details")]
    public async Task Grpcio_in_cleartext(string scenario)
    {
        await using TestHost host = await StartAsync();
        await ForeignProgram.RunPythonClientAsync(host.Address, scenario, caFile: null);
    }

    [Theory]
    [MemberData(nameof(TlsScenarios))]
    public async Task Grpcio_over_tls(string scenario)
    {
        using var certificate = new TestCertificate();
        await using TestHost host = await StartAsync(certificate);
        await ForeignProgram.RunPythonClientAsync(host.Address, scenario, certificate.PemFile);
    }

    [Theory]
    [InlineData("deadline")]
    [InlineData("cancel")]
    public async Task Grpcio_cancels_the_handler(string scenario)
    {
        await using TestHost host = await StartAsync();
        await ForeignProgram.RunPythonClientAsync(host.Address, scenario, caFile: null);
        await host.Log.Cancelled.Task.WaitAsync(Soon);
    }

    [Theory]
    [MemberData(nameof(Scenarios))]
    public async Task Grpc_js_in_cleartext(string scenario)
    {
        await using TestHost host = await StartAsync();
        await ForeignProgram.RunNodeClientAsync(host.Address, scenario, caFile: null);
    }

    [Theory]
    [MemberData(nameof(TlsScenarios))]
    public async Task Grpc_js_over_tls(string scenario)
    {
        using var certificate = new TestCertificate();
        await using TestHost host = await StartAsync(certificate);
        await ForeignProgram.RunNodeClientAsync(host.Address, scenario, certificate.PemFile);
    }

    [Theory]
    [InlineData("deadline")]
    [InlineData("cancel")]
    public async Task Grpc_js_cancels_the_handler(string scenario)
    {
        await using TestHost host = await StartAsync();
        await ForeignProgram.RunNodeClientAsync(host.Address, scenario, caFile: null);
        await host.Log.Cancelled.Task.WaitAsync(Soon);
    }

    private static async Task<TestHost> StartAsync(TestCertificate? certificate = null)
    {
        TestHost host = await TestHost.StartAsync(
            options => options.ResponseCompressionAlgorithm = "gzip",
            services => services.AddSingleton<HealthServiceImpl>().AddGrpcReflection(),
            app =>
            {
                app.MapGrpcService<HealthServiceImpl>();
                app.MapGrpcReflectionService();
                HealthServiceImpl health = app.Services.GetRequiredService<HealthServiceImpl>();
                health.SetStatus("", HealthCheckResponse.Types.ServingStatus.Serving);
                health.SetStatus("sick", HealthCheckResponse.Types.ServingStatus.NotServing);
            },
            certificate is null ? null : listen => listen.UseHttps(certificate.Certificate),
            tls: certificate is not null);
        return host;
    }
}
