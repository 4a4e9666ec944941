namespace Relay.Cli;

/// <summary>Follows the page tokens of a list method until the last page.</summary>
internal static class Pages
{
    public static async Task<List<T>> AllAsync<T>(Func<string, Task<(IEnumerable<T> Items, string NextToken)>> page)
    {
        var all = new List<T>();
        string token = "";
        do
        {
            (var items, token) = await page(token);
            all.AddRange(items);
        }
        while (token.Length > 0);
        return all;
    }
}
