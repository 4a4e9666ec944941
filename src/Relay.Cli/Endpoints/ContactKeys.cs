using Otr.Core;
using Relay.Bridges.Xmpp;
using Relay.Client;
using Relay.V1;

namespace Relay.Cli.Endpoints;

/// <summary>The fingerprints of contacts, of all accounts of a file of libotr, and how an endpoint is told them.</summary>
internal static class ContactKeys
{
    /// <summary>Most bytes and peers of one request: it fits in what a server takes.</summary>
    private const int MaxRequestBytes = 100_000, MaxRequestPeers = 1000;

    /// <exception cref="CommandFailure">A line cannot be read: a fingerprint must not be lost unnoticed.</exception>
    public static IReadOnlyList<LibotrFingerprint> Read(string path) =>
        LibotrFingerprintFile.TryParse(ImportEndpointCommand.Read(path), out var entries, out var problem)
            ? entries : throw new CommandFailure(ExitCode.Usage, $"{path}: {problem}.", "Nothing was imported.");

    /// <summary>
    /// The contacts of one account, each with the keys that the account knows. Of more keys than a peer can have, the trusted come first.
    /// </summary>
    /// <param name="network">The network of the endpoint: on xmpp a contact's devices share an address.</param>
    /// <param name="problems">Contacts and keys that are left out.</param>
    public static List<PeerIdentities> Peers(IEnumerable<LibotrFingerprint> entries, string network, List<string> problems)
    {
        var peers = new List<PeerIdentities>();
        foreach (var contact in entries.GroupBy(e => AddressOf(network, e.Username), StringComparer.Ordinal))
        {
            var known = contact.GroupBy(e => e.Fingerprint).Select(g => g.MaxBy(e => e.Trust.IsTrusted)!)
                .OrderBy(e => !e.Trust.IsTrusted).ToList();
            if (known.Count > OtrLimits.MaxKnownFingerprints)
            {
                problems.Add($"{known.Count - OtrLimits.MaxKnownFingerprints} keys of {contact.Key}: "
                    + $"only {OtrLimits.MaxKnownFingerprints} of a contact can be known");
            }
            var peer = new PeerIdentities { Peer = contact.Key };
            peer.Identities.AddRange(known.Take(OtrLimits.MaxKnownFingerprints)
                .Select(e => new KnownIdentity { Fingerprint = e.Fingerprint.ToHex(), TrustSource = e.Trust.Label }));
            peers.Add(peer);
        }
        return peers;
    }

    /// <summary>Tells an endpoint the keys of its peers, in as many requests as they need.</summary>
    public static async Task<ImportIdentitiesResponse> TellAsync(
        RelayClient client, string endpoint, IReadOnlyList<PeerIdentities> peers, CancellationToken cancellation)
    {
        var total = new ImportIdentitiesResponse();
        for (int at = 0; at < peers.Count;)
        {
            var request = new ImportIdentitiesRequest { RequestId = Guid.NewGuid().ToString("N"), Parent = endpoint };
            for (int bytes = 0; at < peers.Count && request.Peers.Count < MaxRequestPeers; at++)
            {
                bytes += peers[at].CalculateSize();
                if (bytes > MaxRequestBytes && request.Peers.Count > 0) break;
                request.Peers.Add(peers[at]);
            }
            var done = await client.CallAsync(o => client.Identities.ImportIdentitiesAsync(request, o), cancellation);
            total.Peers += done.Peers;
            total.Keys += done.Keys;
            total.Skipped += done.Skipped;
            total.WithoutRoom += done.WithoutRoom;
        }
        return total;
    }

    /// <summary>What the server could not take, for people.</summary>
    public static IEnumerable<string> Problems(ImportIdentitiesResponse told)
    {
        if (told.Skipped > 0) yield return $"{told.Skipped} contacts, whose conversations are damaged";
        if (told.WithoutRoom > 0) yield return $"{told.WithoutRoom} keys of contacts with as many as can be known";
    }

    /// <summary>The network that a client's word for a protocol means.</summary>
    public static string NetworkOf(string protocol) => protocol.ToLowerInvariant() switch
    {
        "prpl-jabber" or "jabber" or "xmpp" or "prpl-xmpp" => "xmpp",
        "prpl-irc" or "irc" => "irc",
        var other => other.StartsWith("prpl-", StringComparison.Ordinal) ? other["prpl-".Length..] : other,
    };

    /// <summary>
    /// The address that a client's name of an account means: Pidgin adds a resource or a server, WeeChat puts the server first.
    /// </summary>
    public static string AccountOf(string network, string name) => network switch
    {
        "irc" when name.Contains('@', StringComparison.Ordinal) => name[..name.IndexOf('@', StringComparison.Ordinal)],
        "irc" when name.StartsWith("irc.", StringComparison.Ordinal) => name[(name.LastIndexOf('.') + 1)..],
        _ => AddressOf(network, name),
    };

    /// <summary>The address that the bridge of the network knows a contact by.</summary>
    private static string AddressOf(string network, string name) =>
        network == "xmpp" && XmppAddress.Bare(name) is { } bare ? bare : name;
}
