using Relay.Storage;

namespace Interop.Tests.Gateway;

/// <summary>Clients of other gRPC implementations against the gateway, in cleartext and over TLS.</summary>
public sealed class ForeignClientTests
{
    private static readonly TimeSpan s_soon = TimeSpan.FromSeconds(20);

    /// <summary>What both clients do.</summary>
    public static TheoryData<string> Scenarios =>
    [
        "unary", "large", "wire", "stream_refused", "oversize", "unknown", "metadata", "error_details", "exception", "gzip", "health", "reflection", "resets",
    ];

    /// <summary>What is done over TLS as well.</summary>
    public static TheoryData<string> TlsScenarios => ["unary", "large", "wire", "error_details", "health"];

    public static TheoryData<string> CancellingScenarios => ["deadline", "cancel", "cancel_stream"];

    [Theory, MemberData(nameof(Scenarios))]
    public Task Grpcio_in_cleartext(string scenario) => RunAsync(ForeignProgram.RunPythonAsync, scenario);

    [Theory, MemberData(nameof(Scenarios))]
    public Task Grpc_js_in_cleartext(string scenario) => RunAsync(ForeignProgram.RunNodeAsync, scenario);

    [Theory, MemberData(nameof(TlsScenarios))]
    public Task Grpcio_over_tls(string scenario) => RunAsync(ForeignProgram.RunPythonAsync, scenario, tls: true);

    [Theory, MemberData(nameof(TlsScenarios))]
    public Task Grpc_js_over_tls(string scenario) => RunAsync(ForeignProgram.RunNodeAsync, scenario, tls: true);

    [Theory, MemberData(nameof(CancellingScenarios))]
    public Task Grpcio_cancels_the_work(string scenario) => CancelAsync(ForeignProgram.RunPythonAsync, scenario);

    [Theory, MemberData(nameof(CancellingScenarios))]
    public Task Grpc_js_cancels_the_work(string scenario) => CancelAsync(ForeignProgram.RunNodeAsync, scenario);

    [Fact]
    public Task Grpcio_reads_and_acknowledges_events() => ReadEventsAsync(ForeignProgram.RunPythonAsync);

    [Fact]
    public Task Grpc_js_reads_and_acknowledges_events() => ReadEventsAsync(ForeignProgram.RunNodeAsync);

    private static async Task RunAsync(Func<GatewayUnderTest, string, Task> client, string scenario, bool tls = false)
    {
        await using var gateway = await GatewayUnderTest.StartAsync(tls);
        await client(gateway, scenario);
    }

    private static async Task CancelAsync(Func<GatewayUnderTest, string, Task> client, string scenario)
    {
        await using var gateway = await GatewayUnderTest.StartAsync();
        await client(gateway, scenario);
        Assert.True(gateway.Hanging.Task.IsCompleted);
        await gateway.Cancelled.Task.WaitAsync(s_soon);
    }

    private static async Task ReadEventsAsync(Func<GatewayUnderTest, string, Task> client)
    {
        await using var gateway = await GatewayUnderTest.StartAsync();
        gateway.AddEvents(200);
        await client(gateway, "events");
        Assert.Equal(200u, gateway.Relay.Stream("e", StreamKind.Events).Acknowledged);
    }
}
