using System.Collections.Concurrent;
using Relay.Client;
using Relay.V1;

namespace Relay.Bridges;

/// <summary>
/// The endpoints that a bridge carries, found by their account's address on the network. <see cref="BridgeWorker"/> fills it and keeps it
/// up to date; networks read it. Thread-safe.
/// </summary>
/// <param name="addressOf">
/// The address of an endpoint as the network compares addresses; null if this bridge does not carry the endpoint.
/// </param>
public sealed class EndpointDirectory(Func<Endpoint, string?> addressOf)
{
    private const int PageSize = 1000;
    private readonly ConcurrentDictionary<string, string> _byAddress = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> _byName = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private TaskCompletionSource _asked = NewSource(), _looked = NewSource();
    private bool _isKept;

    /// <summary>Raised after an endpoint was added, with its address.</summary>
    public event Action<string>? Added;

    /// <summary>Raised after an endpoint was removed, with its address: it was deleted, or has expired.</summary>
    public event Action<string>? Removed;

    /// <summary>The addresses of all endpoints.</summary>
    public IEnumerable<string> Addresses => _byAddress.Keys;

    /// <summary>The number of endpoints.</summary>
    public int Count => _byAddress.Count;

    /// <summary>Finds an endpoint's name (<c>endpoints/{endpoint}</c>) by its address; null if there is none.</summary>
    public string? NameOf(string address) => _byAddress.GetValueOrDefault(address);

    /// <summary>Finds an endpoint's address by its name; null if this bridge does not carry it.</summary>
    public string? AddressOf(string name) => _byName.GetValueOrDefault(name);

    /// <summary>Adds one endpoint. False if its address, or the endpoint itself, is known already.</summary>
    internal bool Add(string name, string address)
    {
        if (!_byAddress.TryAdd(address, name)) return false;
        _byName[name] = address;
        Added?.Invoke(address);
        return true;
    }

    /// <summary>Removes an endpoint that is gone.</summary>
    internal void Remove(string name)
    {
        if (!_byName.TryRemove(name, out var address)) return;
        _byAddress.TryRemove(address, out _);
        Removed?.Invoke(address);
    }

    /// <summary>
    /// Asks Relay for endpoints that were created meanwhile, and completes when it has answered, or could not. Askers at the same time
    /// share one question, and questions keep <see cref="BridgeOptions.MinEndpointPoll"/> between them. Without a worker there is nobody to ask.
    /// </summary>
    public Task LookAsync()
    {
        lock (_lock)
        {
            _asked.TrySetResult();
            return _isKept ? _looked.Task : Task.CompletedTask;
        }
    }

    /// <summary>Completes when somebody asks.</summary>
    internal Task Asked
    {
        get
        {
            lock (_lock) return _asked.Task;
        }
    }

    /// <summary>A look begins: those who ask from now on wait for the next one.</summary>
    /// <returns>To be completed when it is over.</returns>
    internal TaskCompletionSource BeginLook()
    {
        lock (_lock)
        {
            var look = _looked;
            _isKept = true;
            (_asked, _looked) = (NewSource(), NewSource());
            return look;
        }
    }

    /// <summary>Lists the endpoints that the key allows and the bridge carries, and that are not here yet.</summary>
    /// <exception cref="RelayException">The server refuses, or does not answer.</exception>
    internal async Task<List<(string Name, string Address)>> FindNewAsync(RelayClient client, CancellationToken cancellation)
    {
        var found = new List<(string, string)>();
        var addresses = new HashSet<string>(StringComparer.Ordinal);
        string token = "";
        do
        {
            var request = new ListEndpointsRequest { PageSize = PageSize, PageToken = token };
            var page = await client.CallAsync(o => client.Endpoints.ListEndpointsAsync(request, o), cancellation);
            foreach (var endpoint in page.Endpoints)
            {
                // Two accounts that are one address on the network: the first is carried.
                if (addressOf(endpoint) is { } address && !_byAddress.ContainsKey(address) && addresses.Add(address))
                    found.Add((endpoint.Name, address));
            }
            token = page.NextPageToken;
        }
        while (token.Length > 0);
        return found;
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
