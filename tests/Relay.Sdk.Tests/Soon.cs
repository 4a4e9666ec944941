using Relay.Gateway.Tests.Harness;

namespace Relay.Sdk.Tests;

/// <summary>Waiting for what another process or the server must come to say.</summary>
internal static class Soon
{
    public static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        var limit = Patience.Token;
        while (!await isSo()) await Task.Delay(50, limit);
    }
}
