namespace Relay.Cli;

/// <summary>Reads all pages of a list.</summary>
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
