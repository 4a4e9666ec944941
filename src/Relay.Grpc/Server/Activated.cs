namespace Grpc.AspNetCore.Server;

/// <summary>An instance for one call, disposed afterwards if the call made it.</summary>
internal readonly record struct Activated<T>(T Instance, bool IsOwned) : IAsyncDisposable
    where T : class
{
    public ValueTask DisposeAsync()
    {
        if (!IsOwned)
            return ValueTask.CompletedTask;
        switch (Instance)
        {
            case IAsyncDisposable asyncDisposable:
                return asyncDisposable.DisposeAsync();
            case IDisposable disposable:
                disposable.Dispose();
                break;
        }
        return ValueTask.CompletedTask;
    }
}
