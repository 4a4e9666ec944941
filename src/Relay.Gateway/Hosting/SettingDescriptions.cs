namespace Relay.Gateway.Hosting;

/// <summary>One sentence about each setting, of which the reference page is made; a test finds one that is missing.</summary>
internal static class SettingDescriptions
{
    private static readonly Dictionary<string, string> s_all = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Relay:DataDirectory"] = "Directory of all files of this server; created with mode 0700.",
        ["Relay:SealingKeyFile"] = "File of the key with which stored rows are sealed. Not set: `sealing.key` in the data directory.",
        ["Relay:Epochs:KeyFile"] = "File of the epoch key; must be in no backup. Not set: `epoch.key` in the data directory.",
        ["Relay:Epochs:Enabled"] = "Whether rows are sealed in epochs. Not set: in one process with SQLite. In a cluster all nodes follow the first.",
        ["Relay:Epochs:Length"] = "Time after which everything stored is sealed again, and the keys of the time before are destroyed.",
        ["Relay:Epochs:BeginAnew"] = "Whether to start without an epoch key that is lost: sessions and undelivered messages are lost with it.",
        ["Relay:AdminKeyFile"] = "File of an admin key to accept; the first start creates it. Not set: `admin.key` in the data directory.",
        ["ConnectionStrings:Relay"] = "PostgreSQL database of the cluster. Not set: a single server with SQLite in the data directory.",
        ["Relay:Conversations:Shards"] = "Number of shards of the cluster; must be the same on every node and cannot be changed later.",
        ["Relay:Cluster:Host"] = "Host name or IP address at which the other nodes reach this one.",
        ["Relay:Cluster:Port"] = "Port at which the other nodes reach this one.",
        ["Relay:Cluster:Listen"] = "IP address to listen on for the other nodes. Not set: that of the host.",
        ["Relay:Cluster:Certificate:Path"] = "PEM file of this node's certificate for the other nodes. Not set: issued from the sealing key.",
        ["Relay:Cluster:Certificate:KeyPath"] = "PEM file of that certificate's private key.",
        ["Relay:Cluster:Certificate:AuthorityPath"] = "PEM file of the authority that issues the nodes' certificates, and nothing else.",
        ["Relay:Drain:Delay"] = "After SIGTERM, time to keep serving while the server reports that it is not ready.",
        ["Relay:Drain:Timeout"] = "After that delay, time for work in progress to finish.",
        ["Relay:Streams:KeepAlive"] = "Time without a message after which a keep-alive is sent on a stream.",
        ["Relay:Webhooks:AllowedNetworks"] = "Networks that webhooks may be sent to although they are not public, also without TLS.",
        ["Relay:Tokens:Issuer"] = "Issuer of access tokens (JWT) that are accepted beside API keys. Not set: none are.",
        ["Relay:Tokens:Audience"] = "Audience that an access token must name.",
        ["Relay:Tokens:ScopesClaim"] = "Claim of a token with the caller's scopes.",
        ["Relay:Tokens:EndpointsClaim"] = "Claim of a token with the endpoints that the caller may use.",
        ["Relay:ClientCertificates:AuthorityPath"] = "PEM file of the authority whose client certificates are accepted. Not set: none are.",
        ["Relay:ClientCertificates:CallersPath"] = "File that says which names in certificates have which scopes and endpoints.",
        ["Relay:Limits:CallsPerSecond"] = "Most calls of one caller in a second, unless its key says otherwise.",
        ["Relay:Limits:CallsPerSecondAndEndpoint"] = "Most calls of one caller for one endpoint in a second, unless its key says otherwise.",
        ["Relay:Limits:Streams"] = "Most open streams of one caller, unless its key says otherwise.",
        ["Relay:Limits:EndpointsPerDay"] = "Most endpoints that one caller creates in a day, unless its key says otherwise.",
        ["Relay:Audit:Enabled"] = "Whether administration and decisions about trust are recorded in the audit log.",
        ["Relay:Audit:Keep"] = "Time for which entries of the audit log are kept.",
        ["Relay:Files:MaxBytes"] = "Largest file that bots send and peers may offer, in bytes.",
        ["Relay:Files:Life"] = "Time from a file's creation or offer until it is deleted with its keys.",
        ["Relay:Files:FilesPerEndpoint"] = "Most files of one endpoint, the sent and the received.",
        ["Relay:Files:BytesPerEndpoint"] = "Most bytes of these files.",
        ["Relay:Files:FilesPerPeer"] = "Most of these files that are to or from one peer.",
        ["Relay:Files:BytesPerPeer"] = "Most bytes of files to and from one peer.",
        ["Relay:Files:PublicUrl"] = "URL at which peers reach this server: offers of files have links to `/files/` below it. Not set: no links.",
        ["Kestrel:Endpoints:Grpc:Url"] = "Address and port for bots and bridges; TLS is required except on loopback.",
        ["Kestrel:Endpoints:Grpc:Protocols"] = "HTTP versions on that port; without TLS it must be `Http2`.",
        ["Kestrel:Endpoints:Grpc:Certificate:Path"] = "PEM file of the certificate chain, for TLS. A changed file is loaded without a restart.",
        ["Kestrel:Endpoints:Grpc:Certificate:KeyPath"] = "PEM file of the certificate's private key. Not set: the file of the certificate.",
        ["Kestrel:Endpoints:Http:Url"] = "Loopback address for HTTP/JSON without TLS: 127.0.0.1:7422 unless `--listen` is given; `none` for none.",
        ["Kestrel:Endpoints:Health:Url"] = "Address and port for probes over plain HTTP: `/livez` and `/readyz`. Not set: none.",
        ["Kestrel:Endpoints:Console:Url"] = "Address and port of the operators' console, with the server's certificate; TLS is required except on loopback. Not set: none.",
        ["Logging:LogLevel:Default"] = "Lowest level of log messages: Trace, Debug, Information, Warning, Error, Critical or None.",
        ["Logging:Console:FormatterName"] = "Form of log messages: `simple`, `json` or `systemd`. The switch has no value and sets `json`.",
    };

    /// <summary>The sentence; empty if there is none.</summary>
    public static string Of(string key) => s_all.GetValueOrDefault(key, "");
}
