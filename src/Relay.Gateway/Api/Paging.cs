using System.Text;
using Relay.Gateway.Hosting;

namespace Relay.Gateway.Api;

/// <summary>A page of a list: its size, and the id after which it begins.</summary>
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
            if (pageToken.Length <= 256 && Convert.TryFromBase64String(pageToken, bytes, out int n)) after = Encoding.UTF8.GetString(bytes[..n]);
            else violations.Add("page_token", "is not one that this server gave out");
        }
        violations.ThrowIfAny();
        return new Paging(size, after);
    }

    /// <summary>The size of a page or a pull: 0 means the default, and the maximum is the most.</summary>
    public static int ParseSize(int asked, string field, Violations violations)
    {
        violations.AddIf(asked is < 0 or > GatewayLimits.MaxPageSize, field, $"must be 0 to {GatewayLimits.MaxPageSize}");
        return asked == 0 ? GatewayLimits.DefaultPageSize : asked;
    }

    /// <summary>The next page's token; empty after a page that is not full. A full last page is followed by an empty one.</summary>
    public string NextToken(int count, Func<string> lastId) => count < Size ? "" : Convert.ToBase64String(Encoding.UTF8.GetBytes(lastId()));
}
