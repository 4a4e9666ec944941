using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Grpc.JsonTranscoding;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;
using Relay.Gateway.Tests.Harness;

namespace Relay.Gateway.Tests;

/// <summary>The OpenAPI document describes what is served, and the page that shows it loads nothing from elsewhere.</summary>
public sealed partial class OpenApiTests
{
    private static Task<TestServer> StartAsync() => TestServer.StartAsync(new FakeRelay(), new() { ["--http-listen"] = "127.0.0.1:0" });

    [Fact]
    public async Task An_independent_reader_finds_no_fault_in_it()
    {
        await using var server = await StartAsync();
        using var client = new HttpClient { BaseAddress = server.Host.HttpAddress };
        var json = await client.GetStringAsync("/openapi/v1.json");
        var read = OpenApiDocument.Parse(json, "json");
        Assert.Empty(read.Diagnostic!.Errors);
        Assert.Empty(read.Diagnostic.Warnings);
        var document = read.Document!;
        Assert.Empty(document.Validate(ValidationRuleSet.GetDefaultRuleSet()));
        var operations = document.Paths.SelectMany(p => p.Value.Operations!.Values).ToList();
        Assert.Equal(operations.Count, operations.Select(o => o.OperationId).Distinct().Count());
        // The comments of the protos have come along: every call says what it does, every field of an endpoint is there by its JSON name.
        Assert.All(operations, o => Assert.False(string.IsNullOrEmpty(o.Description), o.OperationId));
        Assert.Contains("maxWireBytes", document.Components!.Schemas!["Endpoint"].Properties!.Keys);
        Assert.Contains("fragmented", document.Components.Schemas["Endpoint"].Properties!["maxWireBytes"].Description, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_path_in_it_is_answered_and_every_route_is_in_it()
    {
        await using var server = await StartAsync();
        using var client = new HttpClient { BaseAddress = server.Host.HttpAddress };
        client.DefaultRequestHeaders.Authorization = new("Bearer", server.AdminToken);
        var paths = JsonNode.Parse(await client.GetStringAsync("/openapi/v1.json"))!["paths"]!.AsObject();
        int calls = 0;
        foreach (var (path, item) in paths)
        {
            foreach (var (verb, operation) in item!.AsObject())
            {
                calls++;
                var named = operation!["parameters"]?.AsArray().Where(p => p!["in"]!.GetValue<string>() == "path").Select(p => p!["name"]!.GetValue<string>()) ?? [];
                Assert.Equal(Parameter().Matches(path).Select(m => m.Groups[1].Value), named);
                using var request = new HttpRequestMessage(new HttpMethod(verb.ToUpperInvariant()), Parameter().Replace(path, "x"));
                if (operation["requestBody"] is not null) request.Content = new StringContent("{}");
                using var response = await client.SendAsync(request);
                Assert.DoesNotContain("ROUTE_NOT_FOUND", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
                Assert.NotEqual(HttpStatusCode.MethodNotAllowed, response.StatusCode);
                Assert.NotEqual(HttpStatusCode.InternalServerError, response.StatusCode);
            }
        }
        int served = server.Host.Services.GetServices<EndpointDataSource>().SelectMany(s => s.Endpoints)
            .Count(e => e.Metadata.GetMetadata<GrpcJsonTranscodingMetadata>() is not null);
        Assert.Equal(served, calls);
    }

    [Fact]
    public async Task The_page_and_its_files_come_from_this_server_only()
    {
        await using var server = await StartAsync();
        using var client = new HttpClient { BaseAddress = server.Host.HttpAddress };
        using var page = await client.GetAsync("/docs");
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        var html = await page.Content.ReadAsStringAsync();
        var policy = page.Headers.GetValues("Content-Security-Policy").Single();
        foreach (var rule in new[] { "default-src 'none'", "connect-src 'self'", "frame-ancestors 'none'" }) Assert.Contains(rule, policy, StringComparison.Ordinal);
        Assert.DoesNotContain("https://", html, StringComparison.Ordinal);
        // The inline script is allowed by a number that is used once.
        var nonce = Nonce().Match(policy).Groups[1].Value;
        Assert.Contains($"nonce=\"{nonce}\"", html, StringComparison.Ordinal);
        Assert.NotEqual(nonce, Nonce().Match((await client.GetAsync("/docs/")).Headers.GetValues("Content-Security-Policy").Single()).Groups[1].Value);
        foreach (Match script in Script().Matches(html))
        {
            using var file = await client.GetAsync("/docs/" + script.Groups[1].Value);
            Assert.Equal(HttpStatusCode.OK, file.StatusCode);
        }
        Assert.True(Script().Count(html) >= 2);
    }

    [GeneratedRegex(@"\{(\w+)\}")]
    private static partial Regex Parameter();

    [GeneratedRegex("'nonce-([^']+)'")]
    private static partial Regex Nonce();

    [GeneratedRegex("src=\"([^\"]+\\.js)\"")]
    private static partial Regex Script();
}
