using System.Diagnostics;
using System.Text.Json;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Relay.Client;
using Relay.Gateway.Telemetry;
using Relay.Gateway.Tests.Harness;
using Relay.Lab.Processes;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>The log as an operator's collector reads it.</summary>
public sealed class LogTests
{
    [Fact]
    public async Task Who_comes_and_goes_and_what_is_made_is_logged_as_json_with_the_callers_trace()
    {
        using var directory = new TempDirectory();
        var log = directory.File("log");
        await using var server = await ServerProcess.StartAsync(directory.File("data"), "127.0.0.1:0", log, null, Patience.Token, "--log-json", "--log-level", "Debug");
        await using var admin = RelayClient.Connect(server.Address, RelayKey.FromFile(Path.Combine(directory.File("data"), "admin.key")));
        var trace = ActivityTraceId.CreateRandom();
        var traced = new CallOptions(new Metadata { { "traceparent", $"00-{trace}-{ActivitySpanId.CreateRandom()}-01" } });
        await admin.Endpoints.CreateEndpointAsync(
            new CreateEndpointRequest { RequestId = "1", EndpointId = "e", Network = "n", Account = "e@test.example", Dsa = TestKeys.Endpoint }, traced);
        var made = await admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = "2", Scopes = { Scope.Bot } });
        await using (var bot = RelayClient.Connect(server.Address, RelayKey.Parse(made.Token)))
        {
            using var stream = bot.EventStreams.StreamEvents();
            await stream.RequestStream.WriteAsync(new StreamEventsRequest { Open = new OpenStream { Endpoint = "endpoints/e" } });
            Assert.True(await stream.ResponseStream.MoveNext(Patience.Token));
            await stream.RequestStream.CompleteAsync();
            await stream.ResponseStream.EndsAsync();
        }
        await admin.Admin.RevokeApiKeyAsync(new RevokeApiKeyRequest { Name = made.ApiKey.Name });
        await admin.Endpoints.DeleteEndpointAsync(new DeleteEndpointRequest { Name = "endpoints/e" });
        await server.DrainAsync(Patience.Token);

        var lines = (await File.ReadAllLinesAsync(log)).Where(l => l.StartsWith('{')).Select(l => JsonDocument.Parse(l).RootElement).ToList();
        var key = made.ApiKey.Name;
        var endpoint = Only(2026);
        Assert.Equal("e", endpoint.GetProperty("State").GetProperty("EndpointId").GetString());
        Assert.Equal(trace.ToHexString(), endpoint.GetProperty("TraceId").GetString());
        Assert.Equal(Environment.MachineName, endpoint.GetProperty("Node").GetString());
        Assert.Equal("Information", endpoint.GetProperty("LogLevel").GetString());
        Assert.StartsWith("Endpoint e made by apiKeys/", endpoint.GetProperty("Message").GetString(), StringComparison.Ordinal);
        Assert.Equal(key.Split('/')[1], Only(2024).GetProperty("State").GetProperty("Key").GetString());
        Assert.Equal($"/relay.v1.EventService/StreamEvents opened by {key}", Only(2020).GetProperty("Message").GetString());
        Assert.StartsWith($"/relay.v1.EventService/StreamEvents of {key} ended with OK after ", Only(2021).GetProperty("Message").GetString(), StringComparison.Ordinal);
        Only(2025);
        Only(2027);
        Assert.True(Of(2022).Count >= 2);
        Assert.Equal(Of(2022).Count, Of(2023).Count);
        // By name: the numbers of the state are numbers.
        Assert.Equal(JsonValueKind.Number, Of(2023)[0].GetProperty("State").GetProperty("Seconds").ValueKind);

        List<JsonElement> Of(int number) => [.. lines.Where(l => l.GetProperty("EventId").GetInt32() == number)];

        JsonElement Only(int number) => Assert.Single(Of(number));
    }

    [Fact]
    public void An_exception_is_written_without_its_message()
    {
        var formatter = new JsonLogLines("node-1");
        using var text = new StringWriter();
        Exception fault;
        try
        {
            throw new InvalidOperationException("what was sent", new IOException("and this"));
        }
        catch (InvalidOperationException e)
        {
            fault = e;
        }
        formatter.Write(new LogEntry<string>(LogLevel.Error, "Test", new EventId(7), "line\n\"two\"", fault, (state, _) => state), null, text);
        var line = text.ToString();
        Assert.EndsWith("\n", line, StringComparison.Ordinal);
        Assert.Equal(1, line.Count(c => c == '\n'));
        Assert.DoesNotContain("what was sent", line, StringComparison.Ordinal);
        Assert.DoesNotContain("and this", line, StringComparison.Ordinal);
        var json = JsonDocument.Parse(line).RootElement;
        Assert.Equal("line\n\"two\"", json.GetProperty("Message").GetString());
        Assert.Equal("System.InvalidOperationException", json.GetProperty("Exception").GetProperty("Type").GetString());
        Assert.Equal("System.IO.IOException", json.GetProperty("Exception").GetProperty("Inner").GetString());
        Assert.Contains(nameof(An_exception_is_written_without_its_message), json.GetProperty("Exception").GetProperty("Frames")[0].GetString(), StringComparison.Ordinal);
        Assert.False(json.TryGetProperty("State", out _));
    }
}
