using Google.Protobuf.WellKnownTypes;
using Relay.Client;
using Relay.V1;

namespace Relay.Lab.Load;

/// <summary>
/// The API keys of one load: limited to its endpoints and its time, and removed at its end. They are found again by their name, so that
/// also one whose answer was lost is removed.
/// </summary>
internal sealed class LoadKeys(RelayClient admin, IReadOnlyList<string> endpoints, TimeSpan lifetime)
{
    private const int PageSize = 1000;
    private bool _isAsked;

    /// <summary>The name of the keys in lists.</summary>
    public string Name { get; } = "load " + Guid.NewGuid().ToString("N");

    /// <summary>When the keys expire, if they are not removed before.</summary>
    public DateTimeOffset Expiry { get; } = TimeProvider.System.GetUtcNow() + lifetime;

    public async Task<RelayKey> CreateAsync(Scope scope, CancellationToken cancellation)
    {
        var request = new CreateApiKeyRequest
        {
            RequestId = Guid.NewGuid().ToString("N"),
            Scopes = { scope },
            DisplayName = Name,
            Endpoints = { endpoints },
            ExpireTime = Expiry.ToTimestamp(),
        };
        _isAsked = true;
        return RelayKey.Parse((await admin.CallAsync(o => admin.Admin.CreateApiKeyAsync(request, o), cancellation)).Token);
    }

    /// <summary>Revokes all keys of this load and takes them off the server's list.</summary>
    /// <exception cref="RelayException">The server refused, or did not answer.</exception>
    public async Task RemoveAsync(CancellationToken cancellation)
    {
        if (!_isAsked) return;
        var own = new List<ApiKey>();
        string page = "";
        do
        {
            var request = new ListApiKeysRequest { PageSize = PageSize, PageToken = page };
            var keys = await admin.CallAsync(o => admin.Admin.ListApiKeysAsync(request, o), cancellation);
            own.AddRange(keys.ApiKeys.Where(k => k.DisplayName == Name));
            page = keys.NextPageToken;
        }
        while (page.Length > 0);
        foreach (var key in own)
        {
            await admin.CallAsync(o => admin.Admin.RevokeApiKeyAsync(new RevokeApiKeyRequest { Name = key.Name }, o), cancellation);
            await admin.CallAsync(o => admin.Admin.DeleteApiKeyAsync(new DeleteApiKeyRequest { Name = key.Name }, o), cancellation);
        }
        _isAsked = false;
    }
}
