namespace Relay.Storage.Postgres;

public sealed partial class PostgresStore : INodeRegistry
{
    public async Task<INodeRows> RegisterNodeAsync(NodeIdentity self, string version, CancellationToken cancellation)
        => await NodeRows.RegisterAsync(_connections, self, version, _log, cancellation).ConfigureAwait(false);
}
