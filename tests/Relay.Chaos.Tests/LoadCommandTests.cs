using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using Relay.Cli;
using Relay.Client;
using Relay.Lab.Processes;
using Relay.V1;

namespace Relay.Chaos.Tests;

/// <summary>What <c>relay load</c> leaves at a deployment, however it ends: nothing.</summary>
public sealed class LoadCommandTests(LoadCommandTests.Server fixture) : IClassFixture<LoadCommandTests.Server>
{
    public sealed class Server : IAsyncLifetime
    {
        private readonly TempDirectory _directory = new();
        private ServerProcess? _process;

        public RelayClient Admin { get; private set; } = null!;

        public string AdminKey => Path.Combine(_directory.File("data"), "admin.key");

        public string Address => _process!.Address.ToString();

        public string File(string name) => _directory.File(name);

        public async ValueTask InitializeAsync()
        {
            _process = await ServerProcess.StartAsync(File("data"), "127.0.0.1:0", File("log"), null, Patience.Token);
            Admin = RelayClient.Connect(_process.Address, RelayKey.FromFile(AdminKey));
        }

        public async ValueTask DisposeAsync()
        {
            await Admin.DisposeAsync();
            if (_process is not null) await _process.DisposeAsync();
            _directory.Dispose();
        }
    }

    private const int SigInt = 2;

    private Process Start(params string[] arguments)
    {
        var info = RelayProgram.LabStartInfo(["load", "--json", "--server", fixture.Address, "--key-file", fixture.AdminKey, .. arguments]);
        // A process in a shell's background ignores SIGINT, and its children do so too: the tests may run in one.
        info.ArgumentList.Insert(0, info.FileName);
        info.ArgumentList.Insert(0, "--default-signal=INT");
        info.FileName = "env";
        return Process.Start(info)!;
    }

    /// <summary>Waits for the end of a run.</summary>
    private static async Task<(int Code, string Out, string Error)> EndAsync(Process load)
    {
        try
        {
            var (output, error) = (load.StandardOutput.ReadToEndAsync(), load.StandardError.ReadToEndAsync());
            await load.WaitForExitAsync(Patience.Token);
            return (load.ExitCode, await output, await error);
        }
        finally
        {
            if (!load.HasExited) load.Kill();
        }
    }

    private async Task<List<ApiKey>> KeysAsync() =>
        [.. (await fixture.Admin.Admin.ListApiKeysAsync(new ListApiKeysRequest { PageSize = 1000 })).ApiKeys.Where(k => k.DisplayName.StartsWith("load", StringComparison.Ordinal))];

    private async Task<List<Endpoint>> EndpointsAsync() =>
        [.. (await fixture.Admin.Endpoints.ListEndpointsAsync(new ListEndpointsRequest { PageSize = 1000 })).Endpoints.Where(e => e.Network == "load")];

    private async Task AssertNothingIsLeftAsync()
    {
        Assert.Empty(await KeysAsync());
        Assert.DoesNotContain(await EndpointsAsync(), e => e.Name.StartsWith("endpoints/load-", StringComparison.Ordinal));
        // What was deleted is purged, in seconds, and does not wait for thirty days.
        var deleted = await fixture.Admin.Endpoints.ListEndpointsAsync(new ListEndpointsRequest { PageSize = 1000, ShowDeleted = true });
        Assert.All(deleted.Endpoints.Where(e => e.DeleteTime is not null), e => Assert.True(e.PurgeTime.ToDateTimeOffset() < DateTimeOffset.UtcNow.AddMinutes(1)));
    }

    [Fact]
    public async Task Its_keys_are_limited_while_it_runs_and_nothing_is_left_at_its_end()
    {
        var begun = DateTimeOffset.UtcNow;
        var ready = fixture.File("ready-limited");
        using var load = Start("--conversations=2", "--seconds", "3", "--ready-file", ready);
        while (!File.Exists(ready) && !load.HasExited) await Task.Delay(50, Patience.Token);
        var endpoint = Assert.Single(await EndpointsAsync(), e => e.Name.StartsWith("endpoints/load-", StringComparison.Ordinal));
        var keys = await KeysAsync();
        Assert.Equal([Scope.Bot, Scope.Bridge], keys.SelectMany(k => k.Scopes).Order());
        foreach (var key in keys)
        {
            Assert.Equal([endpoint.Name], key.Endpoints);
            // The duration, and ten minutes for key exchanges before it and answers after it.
            Assert.InRange(key.ExpireTime.ToDateTimeOffset(), begun.AddMinutes(5), DateTimeOffset.UtcNow.AddMinutes(11));
        }
        var (code, output, error) = await EndAsync(load);
        Assert.True(code == ExitCode.Ok, output + error);
        Assert.Empty(JsonDocument.Parse(output).RootElement.GetProperty("endpointsLeft").EnumerateArray());
        await AssertNothingIsLeftAsync();
    }

    [Fact]
    public async Task An_endpoint_that_it_was_given_stays()
    {
        var request = new CreateEndpointRequest { RequestId = "rehearsal", EndpointId = "rehearsal", Network = "load", Account = "rehearsal@load.example" };
        var given = await fixture.Admin.Endpoints.CreateEndpointAsync(request);
        var (code, output, error) = await EndAsync(Start("--conversations=2", "--seconds", "3", "--endpoint", given.Name));
        Assert.True(code == ExitCode.Ok, output + error);
        await AssertNothingIsLeftAsync();
        Assert.Contains(await EndpointsAsync(), e => e.Name == given.Name);
    }

    [Fact]
    public async Task It_uses_no_endpoint_that_is_not_its_own()
    {
        var request = new CreateEndpointRequest { RequestId = "r", EndpointId = "real", Network = "xmpp", Account = "real@example.org" };
        await fixture.Admin.Endpoints.CreateEndpointAsync(request);
        var (code, _, error) = await EndAsync(Start("--seconds", "1", "--endpoint", "real"));
        Assert.Equal(ExitCode.Usage, code);
        Assert.Contains("endpoints/real is not for loads", error, StringComparison.Ordinal);
        Assert.DoesNotContain(await KeysAsync(), k => k.Endpoints.Contains("endpoints/real"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Interrupted_while_it_talks_it_leaves_nothing(int times)
    {
        var ready = fixture.File($"ready-{times}");
        using var load = Start("--conversations=20", "--seconds", "0", "--ready-file", ready);
        while (!File.Exists(ready) && !load.HasExited) await Task.Delay(50, Patience.Token);
        Assert.Contains(await KeysAsync(), k => k.RevokeTime is null);
        // A run without any answer is no success; the first question comes within two seconds.
        await Task.Delay(TimeSpan.FromSeconds(4), Patience.Token);
        for (int i = 0; i < times; i++)
        {
            if (i > 0) await Task.Delay(30, Patience.Token);
            Assert.Equal(0, Kill(load.Id, SigInt));
        }
        var (code, output, error) = await EndAsync(load);
        // The second one may come when everything is said already.
        Assert.True(code == ExitCode.Ok || (times, code) == (2, ExitCode.Interrupted), $"{code} {output} {error}");
        await AssertNothingIsLeftAsync();
    }

    [Fact]
    public async Task Interrupted_while_it_begins_it_leaves_nothing()
    {
        int known = (await KeysAsync()).Count;
        using var load = Start("--seconds", "0", "--conversations=500");
        while ((await KeysAsync()).Count == known && !load.HasExited) await Task.Delay(5, Patience.Token);
        Assert.Equal(0, Kill(load.Id, SigInt));
        var (code, _, error) = await EndAsync(load);
        Assert.Equal(ExitCode.Interrupted, code);
        Assert.DoesNotContain("It leaves", error, StringComparison.Ordinal);
        await AssertNothingIsLeftAsync();
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int process, int signal);
}
