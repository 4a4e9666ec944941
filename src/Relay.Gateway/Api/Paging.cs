using System.Text;
using Relay.Gateway.Hosting;

namespace Relay.Gateway.Api;

/// <summary>A requested page of a list: its size, and the id after which it begins (null: the first page).</summary>
internal readonly record struct Paging(int Size, string? AfterId)
{
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT.</exception>
    public static Paging Parse(int pageSize, string pageToken, Violations violations)
    {
        int size = ParseSize(pageSize, "page_size", violations);
        string? after = null;
        if (pageToken.Length > 0)
        {
            Span<byte> bytes = stackalloc byte[256];
            // No id has U+0000, which PostgreSQL takes for a fault of the query.
            if (pageToken.Length <= 256 && Convert.TryFromBase64String(pageToken, bytes, out int n) && !bytes[..n].Contains((byte)0))
                after = Encoding.UTF8.GetString(bytes[..n]);
            else violations.Add("page_token", "was not issued by this server");
        }
        violations.ThrowIfAny();
        return new Paging(size, after);
    }

    /// <summary>Checks the size of a page or a pull, and replaces 0 by the default.</summary>
    public static int ParseSize(int asked, string field, Violations violations)
    {
        violations.AddIf(asked is < 0 or > GatewayLimits.MaxPageSize, field, $"must be 0 to {GatewayLimits.MaxPageSize}");
        return asked == 0 ? GatewayLimits.DefaultPageSize : asked;
    }

    /// <summary>The token of a page that begins after an id; empty if there is none.</summary>
    public static string Token(string? afterId) => afterId is null ? "" : Convert.ToBase64String(Encoding.UTF8.GetBytes(afterId));

    /// <summary>The next page's token; empty after a page that is not full. An empty page follows a full last one.</summary>
    public string NextToken(int count, Func<string> lastId) => count < Size ? "" : Convert.ToBase64String(Encoding.UTF8.GetBytes(lastId()));
}
