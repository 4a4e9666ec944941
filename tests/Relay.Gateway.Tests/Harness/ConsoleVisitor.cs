using System.Net;
using System.Text.RegularExpressions;

namespace Relay.Gateway.Tests.Harness;

/// <summary>A browser at the console, as far as it is needed: a cookie, pages, and forms that it finds on them.</summary>
public sealed partial class ConsoleVisitor : IDisposable
{
    private readonly HttpClient _http;

    public ConsoleVisitor(Uri console) =>
        _http = new HttpClient(new HttpClientHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = console, Timeout = TimeSpan.FromMinutes(1) };

    public string? Cookie { get; set; }

    public string Origin => _http.BaseAddress!.GetLeftPart(UriPartial.Authority);

    /// <summary>Signs in; the status is 303 if it worked.</summary>
    public async Task<(HttpStatusCode Status, string Page)> SignInAsync(string key)
    {
        using var response = await SendAsync(HttpMethod.Post, "/sign-in", [new("key", key)]);
        if (response.Headers.TryGetValues("Set-Cookie", out var cookies)) Cookie = cookies.Single().Split(';')[0];
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    /// <summary>Reads a page, once the endpoints have been looked through for it.</summary>
    public async Task<string> ReadAsync(string path)
    {
        while (true)
        {
            var page = await ReadOnceAsync(path);
            if (!page.Contains("being looked through", StringComparison.Ordinal)) return page;
            await Task.Delay(20, Patience.Token);
        }
    }

    public async Task<string> ReadOnceAsync(string path)
    {
        using var response = await SendAsync(HttpMethod.Get, path);
        var page = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.OK, $"{path}: {(int)response.StatusCode} {page}");
        return page;
    }

    public async Task<HttpStatusCode> StatusAsync(string path)
    {
        using var response = await SendAsync(HttpMethod.Get, path);
        return response.StatusCode;
    }

    /// <summary>Sends the form of a page that goes to this path, with its hidden fields and those given.</summary>
    public async Task<(HttpStatusCode Status, string Page)> SubmitAsync(string page, string action, params (string Name, string Value)[] fields) =>
        await SubmitAsync(action, [.. FieldsOf(page, action), .. fields.Select(f => new KeyValuePair<string, string>(f.Name, f.Value))]);

    public async Task<(HttpStatusCode Status, string Page)> SubmitAsync(string action, IEnumerable<KeyValuePair<string, string>> fields, Action<HttpRequestMessage>? change = null)
    {
        using var response = await SendAsync(HttpMethod.Post, action, fields, change);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    /// <summary>The hidden fields of a form.</summary>
    public static List<KeyValuePair<string, string>> FieldsOf(string page, string action)
    {
        var form = Regex.Match(page, $"<form method=\"post\" action=\"{Regex.Escape(action)}\".*?</form>", RegexOptions.Singleline);
        Assert.True(form.Success, $"No form to {action} in {page}");
        return [.. Hidden().Matches(form.Value).Select(m => new KeyValuePair<string, string>(m.Groups[1].Value, m.Groups[2].Value))];
    }

    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, IEnumerable<KeyValuePair<string, string>>? fields = null, Action<HttpRequestMessage>? change = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (Cookie is not null) request.Headers.Add("Cookie", Cookie);
        if (fields is not null)
        {
            request.Content = new FormUrlEncodedContent(fields);
            request.Headers.Add("Origin", Origin);
        }
        change?.Invoke(request);
        return await _http.SendAsync(request);
    }

    public void Dispose() => _http.Dispose();

    [GeneratedRegex("<input type=\"hidden\" name=\"([^\"]*)\" value=\"([^\"]*)\">")]
    private static partial Regex Hidden();
}
