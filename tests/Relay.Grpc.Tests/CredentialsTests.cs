using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Grpc.Net.Client;
using GrpcTests.Echo;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace GrpcTests;

/// <summary>TLS and what calls authenticate with.</summary>
public sealed class CredentialsTests
{
    private static readonly CallCredentials Bearer = CallCredentials.FromInterceptor(async (context, metadata) =>
    {
        await Task.Yield();
        metadata.Add("x-authorization", $"Bearer for {context.MethodName}");
    });

    [Fact]
    public async Task Call_credentials_go_over_tls()
    {
        using var certificate = new TestCertificate();
        await using TestHost host = await TestHost.StartAsync(listen: endpoint => endpoint.UseHttps(certificate.Certificate), tls: true);
        using GrpcChannel channel = GrpcChannel.ForAddress(
            $"https://localhost:{host.Address.Port}",
            new GrpcChannelOptions { Credentials = ChannelCredentials.Create(new SslCredentials(certificate.Pem), Bearer) });
        using AsyncUnaryCall<EchoResponse> call = new EchoService.EchoServiceClient(channel).UnaryAsync(new EchoRequest { Text = "metadata" });
        await call;
        Assert.Equal("Bearer for Unary", (await call.ResponseHeadersAsync).GetValue("x-authorization"));
    }

    [Fact]
    public async Task A_certificate_that_is_not_trusted_is_unavailable()
    {
        using var certificate = new TestCertificate();
        using var another = new TestCertificate();
        await using TestHost host = await TestHost.StartAsync(listen: endpoint => endpoint.UseHttps(certificate.Certificate), tls: true);
        using GrpcChannel channel = GrpcChannel.ForAddress($"https://localhost:{host.Address.Port}", new GrpcChannelOptions { Credentials = new SslCredentials(another.Pem) });
        RpcException exception = await Assert.ThrowsAsync<RpcException>(() => new EchoService.EchoServiceClient(channel).UnaryAsync(new EchoRequest()).ResponseAsync);
        Assert.Equal(StatusCode.Unavailable, exception.StatusCode);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Call_credentials_go_in_cleartext_only_if_told_so(bool allowed)
    {
        await using TestHost host = await TestHost.StartAsync();
        using GrpcChannel channel = GrpcChannel.ForAddress(host.Address, new GrpcChannelOptions { UnsafeUseInsecureChannelCallCredentials = allowed });
        using AsyncUnaryCall<EchoResponse> call = new EchoService.EchoServiceClient(channel).UnaryAsync(new EchoRequest { Text = "metadata" }, new CallOptions(credentials: Bearer));
        await call;
        Assert.Equal(allowed, (await call.ResponseHeadersAsync).GetValue("x-authorization") is not null);
    }

    [Fact]
    public async Task The_handler_sees_a_client_certificate()
    {
        using var certificate = new TestCertificate();
        await using TestHost host = await TestHost.StartAsync(
            listen: endpoint => endpoint.UseHttps(certificate.Certificate, https =>
            {
                https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
                https.AllowAnyClientCertificate();
            }),
            tls: true);
        using ECDsa key = certificate.Certificate.GetECDsaPrivateKey()!;
        var pair = new KeyCertificatePair(certificate.Pem, key.ExportPkcs8PrivateKeyPem());
        using GrpcChannel channel = GrpcChannel.ForAddress($"https://localhost:{host.Address.Port}", new GrpcChannelOptions { Credentials = new SslCredentials(certificate.Pem, pair) });
        EchoResponse response = await new EchoService.EchoServiceClient(channel).UnaryAsync(new EchoRequest { Text = "peer" });
        Assert.Matches("^ipv4:127\\.0\\.0\\.1:[0-9]+ localhost$", response.Text);
    }

    [Fact]
    public void The_scheme_and_the_credentials_must_agree()
    {
        Assert.Throws<InvalidOperationException>(() => GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions { Credentials = ChannelCredentials.SecureSsl }));
        Assert.Throws<InvalidOperationException>(() => GrpcChannel.ForAddress("https://localhost", new GrpcChannelOptions { Credentials = ChannelCredentials.Insecure }));
        Assert.Throws<ArgumentException>(() => ChannelCredentials.Create(ChannelCredentials.Insecure, Bearer));
        Assert.Throws<ArgumentException>(() => GrpcChannel.ForAddress("ftp://localhost"));
    }
}
