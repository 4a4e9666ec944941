using System.Diagnostics;
using RabbitMQ.Client;
using Relay.Actors.Tests.Broker.Harness;
using Relay.Engines;
using Relay.Storage;

namespace Relay.Actors.Tests.Broker;

/// <summary>What is said when a node cannot use the broker.</summary>
[Collection(RabbitCollection.Name)]
public sealed class StartTests(RabbitFixture fixture)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static async Task<string> RefusalAsync(Func<Task> start) => (await Assert.ThrowsAsync<RelayStartException>(start).WaitAsync(BrokerCluster.Patience, Cancellation)).Message;

    private static Uri With(Uri uri, string? user = null, string? password = null, string? vhost = null, int? port = null)
    {
        var parts = uri.UserInfo.Split(':');
        return new UriBuilder(uri) { UserName = user ?? parts[0], Password = password ?? parts[1], Path = vhost ?? uri.AbsolutePath, Port = port ?? uri.Port }.Uri;
    }

    [Fact]
    public async Task AnotherNumberOfShardsIsRefusedAndTheRightOneIsTold()
    {
        await using var cluster = new BrokerCluster(fixture, shards: 3);
        await cluster.ConnectAsync("a");

        var message = await RefusalAsync(() => cluster.ConnectAsync("b", o => o with { Shards = 5 }));

        Assert.Contains("has 3 shards", message);
        Assert.Contains("set this node to 3", message);
        await cluster.ConnectAsync("c");
    }

    [Fact]
    public async Task AQueueOfAnotherShapeIsRefused()
    {
        await using var cluster = new BrokerCluster(fixture);
        await using (var outside = await (await cluster.OutsideAsync()).CreateChannelAsync()) await outside.QueueDeclareAsync(cluster.Topology.Queue(0), durable: true, exclusive: false, autoDelete: false);

        var message = await RefusalAsync(() => cluster.ConnectAsync("a"));

        Assert.Contains("in another shape", message);
        Assert.Contains(cluster.Topology.Queue(0), message);
    }

    [Fact]
    public async Task AnExchangeOfAnotherKindIsRefused()
    {
        await using var cluster = new BrokerCluster(fixture);
        await using (var outside = await (await cluster.OutsideAsync()).CreateChannelAsync()) await outside.ExchangeDeclareAsync(cluster.Topology.Commands, ExchangeType.Direct, durable: true);

        Assert.Contains("in another shape", await RefusalAsync(() => cluster.ConnectAsync("a")));
    }

    [Fact]
    public async Task AWrongPasswordIsTold()
    {
        await using var cluster = new BrokerCluster(fixture);
        var uri = With(fixture.Server.Uri, password: "wrong-one");

        var message = await RefusalAsync(() => cluster.ConnectAsync("a", uri: uri));

        Assert.Contains("refuses the user or the password", message);
        Assert.DoesNotContain("wrong-one", message);
    }

    [Fact]
    public async Task AMissingVirtualHostIsTold()
    {
        await using var cluster = new BrokerCluster(fixture);

        Assert.Contains("has no virtual host 'no such'", await RefusalAsync(() => cluster.ConnectAsync("a", uri: With(fixture.Server.Uri, vhost: "/no%20such"))));
    }

    [Fact]
    public async Task AUserWithoutPermissionIsTold()
    {
        await using var cluster = new BrokerCluster(fixture);
        var uri = With(fixture.Server.Uri, user: "stranger", password: "pw");
        await fixture.Server.ControlAsync(["add_user", "stranger", "pw"], Cancellation);
        try
        {
            Assert.Contains("does not let this user into the virtual host 'relay'", await RefusalAsync(() => cluster.ConnectAsync("a", uri: uri)));
            await fixture.Server.ControlAsync(["set_permissions", "-p", "relay", "stranger", "^$", ".*", ".*"], Cancellation);
            Assert.Contains("does not let this user make the cluster's queues", await RefusalAsync(() => cluster.ConnectAsync("a", uri: uri)));
        }
        finally
        {
            await fixture.Server.ControlAsync(["delete_user", "stranger"], CancellationToken.None);
        }
    }

    [Fact]
    public async Task ABrokerThatIsNotThereIsTold()
    {
        await using var cluster = new BrokerCluster(fixture);
        using var nobody = new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        nobody.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        var uri = With(fixture.Server.Uri, port: ((System.Net.IPEndPoint)nobody.LocalEndPoint!).Port);

        var message = await RefusalAsync(() => cluster.ConnectAsync("a", o => o with { StartLimit = TimeSpan.Zero }, uri));

        Assert.Contains("cannot be reached", message);
        Assert.DoesNotContain(uri.UserInfo.Split(':')[1], message);
    }

    [Theory]
    [InlineData("http://user:pw@localhost/relay")]
    [InlineData("amqp:localhost")]
    public async Task AnAddressThatIsNoneIsTold(string uri)
    {
        await using var cluster = new BrokerCluster(fixture);

        Assert.Contains("must be amqp://", await RefusalAsync(() => cluster.ConnectAsync("a", uri: new Uri(uri))));
    }

    [Fact]
    public async Task OverTlsTheBrokersCertificateIsCheckedAndTheMissingPlugInIsTold()
    {
        _ = fixture.Server;
        var directory = Directory.CreateTempSubdirectory("relay-tls-").FullName;
        try
        {
            await MakeCertificatesAsync(directory);
            string At(string name) => Path.Combine(directory, name);
            await using var server = new RabbitServer(At("broker"), new RabbitServerOptions { Tls = new RabbitServerTls(At("server.pem"), At("server.key"), At("ca.pem"), RequiresClientCertificate: true), Plugins = [] });
            await server.StartAsync(Cancellation);
            await using var cluster = new BrokerCluster(fixture);
            var uri = new UriBuilder(server.Uri) { Scheme = "amqps", Port = server.TlsPort }.Uri;
            Task<BrokerNode> Connect(Func<Actors.Cluster.Broker.RabbitBrokerOptions, Actors.Cluster.Broker.RabbitBrokerOptions> change)
                => cluster.ConnectAsync("a", o => change(o with { CertificateAuthorityFile = At("ca.pem"), ServerName = "broker.test", ClientCertificateFile = At("client.pem"), ClientKeyFile = At("client.key"), StartLimit = TimeSpan.Zero }), uri);

            Assert.Contains("TLS with the broker", await RefusalAsync(() => Connect(o => o with { CertificateAuthorityFile = At("other.pem") })));
            Assert.Contains("TLS with the broker", await RefusalAsync(() => Connect(o => o with { ServerName = "another.test" })));
            Assert.Contains("TLS with the broker", await RefusalAsync(() => Connect(o => o with { CertificateAuthorityFile = null })));
            Assert.Contains("cannot be read", await RefusalAsync(() => Connect(o => o with { CertificateAuthorityFile = At("missing.pem") })));
            // Without a certificate of its own the broker ends the connection.
            await RefusalAsync(() => Connect(o => o with { ClientCertificateFile = null }));
            // The handshake and the login succeed: only the plug-in is missing.
            Assert.Contains("rabbitmq-plugins enable rabbitmq_consistent_hash_exchange", await RefusalAsync(() => Connect(o => o)));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>An authority, a broker's and a client's certificate of it, and another authority.</summary>
    private static async Task MakeCertificatesAsync(string directory)
    {
        await OpenSslAsync(directory, "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=ca -keyout ca.key -out ca.pem");
        await OpenSslAsync(directory, "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=ca -keyout other.key -out other.pem");
        await OpenSslAsync(directory, "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=broker -addext subjectAltName=DNS:broker.test -addext basicConstraints=critical,CA:FALSE -CA ca.pem -CAkey ca.key -keyout server.key -out server.pem");
        await OpenSslAsync(directory, "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=node -addext basicConstraints=critical,CA:FALSE -CA ca.pem -CAkey ca.key -keyout client.key -out client.pem");
    }

    private static async Task OpenSslAsync(string directory, string arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("openssl", arguments) { WorkingDirectory = directory, RedirectStandardError = true })!;
        var errors = await process.StandardError.ReadToEndAsync(Cancellation);
        await process.WaitForExitAsync(Cancellation);
        Assert.True(process.ExitCode == 0, errors);
    }
}
