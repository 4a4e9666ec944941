using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using Relay.Actors.Subscriptions;

namespace Relay.Gateway.Webhooks;

/// <summary>The result of one delivery of a webhook.</summary>
/// <param name="Error">Null if the receiver took it; otherwise what happened, without content and addresses.</param>
/// <param name="RetryAfter">The delay that the receiver asked for; null if it did not.</param>
/// <param name="IsGone">The receiver says that it takes nothing more (410).</param>
internal sealed record WebhookResult(string? Error, TimeSpan? RetryAfter = null, bool IsGone = false);

/// <summary>
/// Posts one event to a webhook. The address is checked where the connection is made, so that neither a name that resolves to another
/// address later nor a redirect leads to a place that is not allowed; redirects are not followed, proxies are not used.
/// </summary>
internal sealed class WebhookSender : IDisposable
{
    /// <summary>Time for one delivery, from the connection to the end of the answer.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(15);

    private const int MaxAnswerBytes = 16 << 10;

    private readonly WebhookNetworks _networks;
    private readonly TimeProvider _time;
    private readonly HttpClient _http;

    public WebhookSender(WebhookNetworks networks, TimeProvider time)
    {
        (_networks, _time) = (networks, time);
        _http = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false, UseProxy = false, UseCookies = false, ConnectCallback = ConnectAsync,
            PooledConnectionLifetime = TimeSpan.FromMinutes(2), MaxConnectionsPerServer = 8, MaxResponseHeadersLength = 16,
        })
        {
            Timeout = Timeout, MaxResponseContentBufferSize = MaxAnswerBytes,
        };
        _http.DefaultRequestHeaders.UserAgent.ParseAdd("Relay");
    }

    /// <param name="id">The same for every delivery of the event.</param>
    public async Task<WebhookResult> SendAsync(WebhookSettings webhook, string id, byte[] body, CancellationToken cancellation)
    {
        long timestamp = _time.GetUtcNow().ToUnixTimeSeconds();
        using var request = new HttpRequestMessage(HttpMethod.Post, webhook.Url) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.Add(WebhookSignature.IdHeader, id);
        request.Headers.Add(WebhookSignature.TimestampHeader, timestamp.ToString(CultureInfo.InvariantCulture));
        request.Headers.Add(WebhookSignature.SignatureHeader,
            WebhookSignature.Sign(Secrets(webhook), id, timestamp, body));
        try
        {
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
            if (response.IsSuccessStatusCode) return new WebhookResult(null);
            return new WebhookResult($"The receiver answered {(int)response.StatusCode}.", RetryAfter(response),
                response.StatusCode == HttpStatusCode.Gone);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return new WebhookResult($"The receiver did not answer within {Timeout.TotalSeconds} s.");
        }
        catch (HttpRequestException e)
        {
            return new WebhookResult(e.InnerException is AddressNotAllowedException
                ? "The receiver's address is not public, and its network is not one of Relay:Webhooks:AllowedNetworks."
                : $"The receiver cannot be reached ({e.HttpRequestError}).");
        }
    }

    public void Dispose() => _http.Dispose();

    private static IEnumerable<byte[]> Secrets(WebhookSettings webhook) =>
        new[] { webhook.Secret, webhook.FormerSecret }.OfType<string>().Select(WebhookSignature.TryParseSecret).OfType<byte[]>();

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var host = context.DnsEndPoint.Host;
        var addresses = IPAddress.TryParse(host, out var literal) ? [literal] : await Dns.GetHostAddressesAsync(host, cancellation);
        bool isPlain = context.InitialRequestMessage.RequestUri?.Scheme == Uri.UriSchemeHttp;
        // All of them must be allowed: a name with one address inside and one outside is an attempt.
        if (addresses.Length == 0 || !Array.TrueForAll(addresses, a => isPlain ? _networks.IsAllowed(a) : _networks.MayConnect(a)))
            throw new AddressNotAllowedException();
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, context.DnsEndPoint.Port, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private TimeSpan? RetryAfter(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } => date - _time.GetUtcNow(),
        _ => null,
    };

    private sealed class AddressNotAllowedException() : IOException("The address is not allowed.");
}
