using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Relay.Lab.OtrPeer;

namespace Relay.Bridges.Tests.Irc;

/// <summary>The system's libotr behind a process of the peer line protocol: what a person's IRC client does with OTR.</summary>
internal sealed class LibotrContact : IAsyncDisposable
{
    private static readonly string s_scratch = Path.Combine(AppContext.BaseDirectory, "irc-peers");
    private static readonly Lazy<(string? Program, string Reason)> s_program = new(() =>
        LibotrPeer.TryBuild(Directory.CreateDirectory(s_scratch).FullName, out var program, out var reason)
            ? (program, "") : (null, reason));
    private readonly Process _process;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly Func<string, Task> _send;
    private readonly List<JsonElement> _events = [];

    private LibotrContact(Process process, Func<string, Task> send) => (_process, _send) = (process, send);

    /// <param name="send">Sends a wire text to the network.</param>
    public static async Task<LibotrContact> StartAsync(string own, string other, Func<string, Task> send, int fragment = 400)
    {
        var (program, reason) = s_program.Value;
        Assert.SkipWhen(program is null, reason);
        var start = new ProcessStartInfo(program!, [own, other]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        var contact = new LibotrContact(Process.Start(start)!, send);
        await contact._process.StandardOutput.ReadLineAsync().WaitAsync(Wait.Limit);
        await contact.DoAsync($"fragment {fragment}");
        await contact.DoAsync("genkey");
        return contact;
    }

    public Task StartSessionAsync() => DoAsync("start");

    public Task SayAsync(string text) => DoAsync("send " + Convert.ToBase64String(Encoding.UTF8.GetBytes(text)));

    public Task ReceiveAsync(string text) => DoAsync("recv " + Convert.ToBase64String(Encoding.UTF8.GetBytes(text)));

    public Task StartSmpAsync(string secret) => DoAsync("smp-start " + secret);

    public Task EndAsync() => DoAsync("end");

    /// <summary>Waits until a text came in a private session.</summary>
    public Task HearsAsync(string text, int patience = 1) =>
        UntilAsync(() => Texts(encrypted: true).Contains(text), "private text", patience);

    public IReadOnlyList<string> Texts(bool encrypted) =>
    [
        .. Events("plain").Where(e => e.GetProperty("encrypted").GetBoolean() == encrypted)
            .Select(e => Encoding.UTF8.GetString(e.GetProperty("data").GetBytesFromBase64())),
    ];

    public Task IsPrivateAsync(int times = 1) =>
        UntilAsync(() => Events("state").Count(e => e.GetProperty("state").GetString() == "ENCRYPTED") >= times, "private session");

    public Task SmpAsync(string what) => UntilAsync(() => Events("smp").Any(e => e.GetProperty("what").GetString() == what), "SMP " + what);

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private IEnumerable<JsonElement> Events(string kind)
    {
        lock (_events) return [.. _events.Where(e => e.GetProperty("event").GetString() == kind)];
    }

    private async Task UntilAsync(Func<bool> isSo, string what, int patience = 1)
    {
        var begun = Stopwatch.StartNew();
        while (!isSo())
        {
            if (begun.Elapsed > patience * 2 * Wait.Limit)
            {
                lock (_events) Assert.Fail($"There is no {what}. Events: {string.Join('\n', _events.Select(e => e.ToString()))}");
            }
            await Task.Delay(30);
        }
    }

    private async Task DoAsync(string command)
    {
        await _turn.WaitAsync();
        try
        {
            await _process.StandardInput.WriteAsync(command + "\n");
            await _process.StandardInput.FlushAsync();
            while (true)
            {
                var line = await _process.StandardOutput.ReadLineAsync().WaitAsync(Wait.Limit);
                using var document = JsonDocument.Parse(line ?? throw new IOException("libotr has gone."));
                var e = document.RootElement.Clone();
                switch (e.GetProperty("event").GetString())
                {
                    case "done":
                        return;
                    case "wire":
                        await _send(Encoding.UTF8.GetString(e.GetProperty("data").GetBytesFromBase64()));
                        break;
                    default:
                        lock (_events) _events.Add(e);
                        break;
                }
            }
        }
        finally
        {
            _turn.Release();
        }
    }
}
