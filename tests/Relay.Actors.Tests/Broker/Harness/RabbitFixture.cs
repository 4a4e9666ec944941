using Relay.Engines;

namespace Relay.Actors.Tests.Broker.Harness;

/// <summary>One real broker for all tests of it; they run one after the other, for some of them stop it.</summary>
[CollectionDefinition(Name)]
public sealed class RabbitCollection : ICollectionFixture<RabbitFixture>
{
    public const string Name = "rabbit";
}

public sealed class RabbitFixture : IAsyncLifetime
{
    private readonly string _directory = Directory.CreateTempSubdirectory("relay-rabbit-").FullName;
    private RabbitServer? _server;
    private int _clusters;

    /// <summary>Skips the test, with the reason, where RabbitMQ is not installed.</summary>
    public RabbitServer Server
    {
        get
        {
            Assert.SkipWhen(_server is null, RabbitServer.Missing ?? "");
            return _server;
        }
    }

    /// <summary>A name for the queues of one test.</summary>
    public string NextPrefix() => $"t{Interlocked.Increment(ref _clusters)}";

    public async ValueTask InitializeAsync()
    {
        if (RabbitServer.Missing is not null) return;
        var server = new RabbitServer(_directory);
        await server.StartAsync();
        _server = server;
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }
}
