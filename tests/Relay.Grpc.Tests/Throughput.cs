using System.Diagnostics;
using System.Globalization;
using Google.Protobuf;
using Grpc.Core;
using GrpcTests.Echo;

namespace GrpcTests;

/// <summary>No test but figures: <c>dotnet run -c Release --project tests/Relay.Grpc.Tests -- throughput</c>.</summary>
internal static class Throughput
{
    private const int Calls = 20_000;
    private const int Callers = 32;
    private static readonly ByteString Payload = ByteString.CopyFrom(new byte[100]);

    public static async Task RunAsync()
    {
        await UnaryAsync();
        await StreamsAsync();
    }

    private static async Task UnaryAsync()
    {
        await using TestHost host = await TestHost.StartAsync();
        await RunAsync(host, Calls / 4);
        await MeasureAsync("unary calls, 32 callers on one connection", Calls, () => RunAsync(host, Calls));
        await MeasureAsync("unary calls, 1 caller", Calls / 10, async () =>
        {
            for (int i = 0; i < Calls / 10; i++)
                await host.Echo.UnaryAsync(new EchoRequest { Payload = Payload });
        });
    }

    private static async Task StreamsAsync()
    {
        await using TestHost host = await TestHost.StartAsync();
        await MeasureAsync("messages of one server stream", 10 * Calls, async () =>
        {
            using AsyncServerStreamingCall<EchoResponse> call = host.Echo.ServerStream(new EchoRequest { Count = 10 * Calls, Payload = Payload });
            while (await call.ResponseStream.MoveNext(default))
            {
            }
        });
        await MeasureAsync("messages of one duplex stream, each way", 5 * Calls, async () =>
        {
            using AsyncDuplexStreamingCall<EchoRequest, EchoResponse> call = host.Echo.Duplex();
            Task writing = Task.Run(async () =>
            {
                for (int i = 0; i < 5 * Calls; i++)
                    await call.RequestStream.WriteAsync(new EchoRequest { Payload = Payload });
                await call.RequestStream.CompleteAsync();
            });
            while (await call.ResponseStream.MoveNext(default))
            {
            }
            await writing;
        });
    }

    private static Task RunAsync(TestHost host, int calls) => Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => Task.Run(async () =>
    {
        for (int i = 0; i < calls / Callers; i++)
            await host.Echo.UnaryAsync(new EchoRequest { Payload = Payload });
    })));

    private static async Task MeasureAsync(string what, int count, Func<Task> run)
    {
        TimeSpan cpu = Environment.CpuUsage.TotalTime;
        long start = Stopwatch.GetTimestamp();
        await run();
        TimeSpan elapsed = Stopwatch.GetElapsedTime(start);
        cpu = Environment.CpuUsage.TotalTime - cpu;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: {count / elapsed.TotalSeconds:F0}/s, {cpu.TotalMicroseconds / count:F1} us CPU each (both sides)"));
    }
}
