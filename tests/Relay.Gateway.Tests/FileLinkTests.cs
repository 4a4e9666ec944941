using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Relay.Gateway.Files;
using Relay.Gateway.Hosting;
using Relay.Gateway.Tests.Harness;
using Relay.V1;
using State = Relay.V1.FileTransfer.Types.State;

namespace Relay.Gateway.Tests;

/// <summary>Links to blobs: who has one gets the ciphertext over HTTP, in ranges, and nothing else.</summary>
public sealed class FileLinkTests
{
    private const int Portion = 64 << 10;

    private static readonly Dictionary<string, string> s_public = new()
    {
        ["--http-listen"] = "127.0.0.1:0", ["Relay:Files:PublicUrl"] = "https://files.example.org",
    };

    [Fact]
    public async Task Who_has_the_link_gets_the_blob_whole_and_in_ranges()
    {
        await using var stage = await FileStage.StartAsync(s_public);
        using var http = new HttpClient { BaseAddress = stage.One.Host.HttpAddress! };
        var content = FileStage.Content(3 * Portion + 17);
        var sent = (await stage.A.Bot.SendFileToAsync("e", "two", new MemoryStream(content), "secret name.jpg", "image/jpeg")).Response;
        await stage.CarryAsync();
        var offered = await stage.B.ToldAsync();
        Assert.Equal((sent.Url, offered.Url), (stage.A.Links.Distinct().Single(), sent.Url));
        var path = new Uri(offered.Url).AbsolutePath;

        using var blob = new MemoryStream();
        await using var bridge = stage.A.BridgeClient.Bridge(FileSide.Endpoint);
        await bridge.DownloadBlobAsync(sent.Name, blob);
        var expected = blob.ToArray();
        using var whole = await http.GetAsync(path);
        Assert.Equal(HttpStatusCode.OK, whole.StatusCode);
        Assert.Equal(expected, await whole.Content.ReadAsByteArrayAsync());
        Assert.Equal(("bytes", "application/octet-stream", "attachment", true), (whole.Headers.AcceptRanges.Single(),
            whole.Content.Headers.ContentType!.ToString(), whole.Content.Headers.ContentDisposition!.ToString(), whole.Headers.CacheControl!.NoStore));
        Assert.Equal("nosniff", whole.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Null(whole.Content.Headers.LastModified);

        using var head = await http.SendAsync(new HttpRequestMessage(HttpMethod.Head, path));
        Assert.Equal((HttpStatusCode.OK, expected.LongLength), (head.StatusCode, head.Content.Headers.ContentLength));
        foreach (var (from, to) in new (long?, long?)[] { (0, 0), (68, 70), (Portion, 3 * Portion), (expected.Length - 5, null), (null, 7), (100, 999_999_999) })
        {
            using var part = await GetAsync(http, path, from, to);
            var (first, last) = (from ?? expected.Length - to!.Value, from is null ? expected.Length - 1 : Math.Min(to ?? long.MaxValue, expected.Length - 1));
            Assert.Equal(HttpStatusCode.PartialContent, part.StatusCode);
            Assert.Equal(new ContentRangeHeaderValue(first, last, expected.Length), part.Content.Headers.ContentRange);
            Assert.Equal(expected[(int)first..((int)last + 1)], await part.Content.ReadAsByteArrayAsync());
        }
        using var beyond = await GetAsync(http, path, expected.Length, null);
        Assert.Equal((HttpStatusCode.RequestedRangeNotSatisfiable, new ContentRangeHeaderValue(expected.Length)), (beyond.StatusCode, beyond.Content.Headers.ContentRange));
        // What was begun of another file does not go on with this one.
        using var other = await GetAsync(http, path, 5, 9, new EntityTagHeaderValue("\"other\""));
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
        using var same = await GetAsync(http, path, 5, 9, whole.Headers.ETag);
        Assert.Equal(HttpStatusCode.PartialContent, same.StatusCode);

        // The peer's side fetches it, interrupted in the middle, and gives it to its server.
        using var fetched = new MemoryStream();
        foreach (var (from, to) in new (long, long?)[] { (0, Portion), (Portion + 1, null) })
        {
            using var part = await GetAsync(http, path, from, to);
            await part.Content.CopyToAsync(fetched);
        }
        await using var two = stage.B.BridgeClient.Bridge(FileSide.Endpoint);
        Assert.True(await two.UploadBlobAsync("one", fetched));
        using var got = new MemoryStream();
        await stage.B.Bot.DownloadFileAsync(await stage.B.ToldAsync(), got);
        Assert.Equal(SHA256.HashData(content), SHA256.HashData(got.ToArray()));
    }

    [Fact]
    public async Task A_wrong_link_is_answered_as_that_of_a_file_that_is_gone()
    {
        await using var stage = await FileStage.StartAsync(s_public);
        using var http = new HttpClient { BaseAddress = stage.One.Host.HttpAddress! };
        var sent = (await stage.A.Bot.SendFileToAsync("e", "two", new MemoryStream([1]), "a", requestId: "1")).Response;
        var path = new Uri(sent.Url).AbsolutePath;
        var wrong = path[..^2] + (path[^2] == 'a' ? 'b' : 'a') + path[^1];
        // Neither the name of the file nor any of the keys opens it.
        foreach (var no in new[] { wrong, $"/files/{sent.Name.Split('/')[^1]}", "/files/", "/files/x", path + "x", path + "/x" })
        {
            using var refused = await http.GetAsync(no);
            Assert.Equal(HttpStatusCode.NotFound, refused.StatusCode);
        }
        using var request = await http.PostAsync(path, null);
        Assert.Equal(HttpStatusCode.NotFound, request.StatusCode);
        using (var found = await http.GetAsync(path)) Assert.Equal(HttpStatusCode.OK, found.StatusCode);
        using var none = await http.GetAsync(wrong);
        await stage.A.Bot.DeleteFileAsync(sent.Name);
        using var gone = await http.GetAsync(path);
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
        Assert.Equal(await none.Content.ReadAsStringAsync(), await gone.Content.ReadAsStringAsync());
        Assert.Equal(none.Headers.Select(h => h.Key).Order(), gone.Headers.Select(h => h.Key).Order());
    }

    [Fact]
    public async Task Without_a_public_URL_there_is_no_link_and_nothing_is_served()
    {
        await using var stage = await FileStage.StartAsync(new() { ["--http-listen"] = "127.0.0.1:0" });
        var sent = (await stage.A.Bot.SendFileToAsync("e", "two", new MemoryStream([1]), "a")).Response;
        await stage.CarryAsync();
        Assert.Equal((State.Sent, "", ""), (sent.State, sent.Url, (await stage.B.ToldAsync()).Url));
        Assert.Equal([""], stage.A.Links.Distinct());
    }

    [Fact]
    public async Task Requests_are_limited_by_address_and_a_network_of_IPv6_is_one()
    {
        await using var server = await TestServer.StartAsync(settings: s_public);
        using var http = new HttpClient { BaseAddress = server.Host.HttpAddress! };
        var quotas = server.Host.Services.GetRequiredService<BlobQuotas>();
        var held = Enumerable.Range(0, GatewayLimits.BlobDownloadsPerAddress).Select(_ => quotas.Begin(IPAddress.Loopback)).ToList();
        Assert.All(held, lease => Assert.True(lease.IsAcquired));
        using var refused = await http.GetAsync("/files/x");
        Assert.Equal((HttpStatusCode.TooManyRequests, "1"), (refused.StatusCode, refused.Headers.RetryAfter!.ToString()));
        held.ForEach(lease => lease.Dispose());
        using var served = await http.GetAsync("/files/x");
        Assert.Equal(HttpStatusCode.NotFound, served.StatusCode);

        var network = Enumerable.Range(1, GatewayLimits.BlobDownloadsPerAddress).Select(i => quotas.Begin(IPAddress.Parse($"2001:db8::{i:x}"))).ToList();
        Assert.All(network, lease => Assert.True(lease.IsAcquired));
        Assert.False(quotas.Begin(IPAddress.Parse("2001:db8::ffff")).IsAcquired);
        Assert.True(quotas.Begin(IPAddress.Parse("2001:db8:0:1::1")).IsAcquired);
    }

    [Theory]
    [InlineData("Relay:Files:MaxBytes", "67108865", "must be 1 to 67108864")]
    [InlineData("Relay:Files:MaxBytes", "0", "must be 1 to 67108864")]
    [InlineData("Relay:Files:Life", "00:00:10", "must be 60 to 7776000 seconds")]
    [InlineData("Relay:Files:FilesPerPeer", "10001", "must not be more than Relay:Files:FilesPerEndpoint")]
    [InlineData("Relay:Files:BytesPerEndpoint", "100000000", "must not be more than Relay:Files:BytesPerEndpoint")]
    [InlineData("Relay:Files:BytesPerPeer", "1000", "must not be more than Relay:Files:BytesPerPeer")]
    [InlineData("Relay:Files:PublicUrl", "http://files.example.org", "must be an https URL")]
    [InlineData("Relay:Files:PublicUrl", "https://u:p@files.example.org", "must be an https URL")]
    [InlineData("Relay:Files:PublicUrl", "https://files.example.org/?x", "must be an https URL")]
    [InlineData("Relay:Files:PublicUrl", "files", "must be an https URL")]
    public void Settings_that_cannot_be_are_refused(string key, string value, string told)
    {
        using var configuration = new ConfigurationManager();
        configuration.AddRelaySources(Path.GetTempPath(), "Test", new Dictionary<string, string> { [key] = value });
        var mistake = Assert.Single(RelayOptionsValidator.Read(configuration).Mistakes);
        Assert.Contains(told, mistake, StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_are_what_was_set()
    {
        using var configuration = new ConfigurationManager();
        configuration.AddRelaySources(Path.GetTempPath(), "Test", new Dictionary<string, string>
        {
            ["Relay:Files:MaxBytes"] = "1", ["Relay:Files:Life"] = "1.00:00:00", ["Relay:Files:FilesPerEndpoint"] = "20", ["Relay:Files:BytesPerEndpoint"] = "30",
            ["Relay:Files:FilesPerPeer"] = "4", ["Relay:Files:BytesPerPeer"] = "5", ["Relay:Files:PublicUrl"] = "https://files.example.org:8443/relay/",
        });
        var (options, mistakes) = RelayOptionsValidator.Read(configuration);
        Assert.Empty(mistakes);
        Assert.Equal((1, TimeSpan.FromDays(1), "https://files.example.org:8443/relay"), (options.Files.MaxFileBytes, options.Files.Life, options.Files.PublicUrl));
        Assert.Equal((20, 30, 4, 5), (options.Files.Quota.Files, options.Files.Quota.Bytes, options.Files.Quota.ConversationFiles, options.Files.Quota.ConversationBytes));
    }

    private static async Task<HttpResponseMessage> GetAsync(HttpClient http, string path, long? from, long? to, EntityTagHeaderValue? onlyIf = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Range = new RangeHeaderValue(from, to);
        if (onlyIf is not null) request.Headers.IfRange = new RangeConditionHeaderValue(onlyIf);
        return await http.SendAsync(request);
    }
}
