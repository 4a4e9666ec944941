namespace Relay.Proxy.Xmpp;

/// <summary>What the server has shown of addresses, for all connections of an account: under the lock of the private conversations.</summary>
internal sealed class AddressBook
{
    private readonly HashSet<string> _spelt = [];
    private readonly Dictionary<string, string> _devices = [];

    /// <summary>The server itself has written this bare address.</summary>
    public bool IsSpelt(string bare) => _spelt.Contains(bare);

    public void Spelt(string bare)
    {
        if (_spelt.Count >= ProxyLimits.SeenAddresses) _spelt.Clear();
        _spelt.Add(bare);
    }

    /// <summary>The full address that the session with a contact is with; the bare one if it is not known.</summary>
    public string DeviceOf(string bare) => _devices.GetValueOrDefault(bare, bare);

    /// <summary>A message of a session came from this device.</summary>
    public void Heard(Jid from)
    {
        if (from.IsBare || (_devices.Count >= ProxyLimits.Contacts && !_devices.ContainsKey(from.Bare.ToString()))) return;
        _devices[from.Bare.ToString()] = from.ToString();
    }

    /// <summary>A device has gone; true if a session was with it.</summary>
    public bool Left(Jid from) =>
        !from.IsBare && _devices.GetValueOrDefault(from.Bare.ToString()) == from.ToString() && _devices.Remove(from.Bare.ToString());
}
