using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Relay.Bridges.Tests.Xmpp;

/// <summary>
/// Debian's Pidgin with its OTR plug-in (libotr), on an X server without a screen: texts go in and out by Pidgin's own D-Bus interface, and
/// OTR's menu and dialogs, which only a mouse opens, by xdotool.
/// </summary>
internal sealed class Pidgin : IAsyncDisposable
{
    private const string Plugin = "/usr/lib/pidgin/pidgin-otr.so", Dialog = "Authenticate Buddy", Progress = "^Authenticating ";
    private static readonly (string Program, string Package)[] s_programs =
    [
        ("/usr/bin/pidgin", "pidgin"), (Plugin, "pidgin-otr"), ("/usr/bin/Xvfb", "xvfb"), ("/usr/bin/xdotool", "xdotool"),
        ("/usr/bin/dbus-daemon", "dbus"), ("/usr/bin/dbus-send", "dbus"),
    ];

    /// <summary>Where things are in a conversation's window of <see cref="Width"/> by <see cref="Height"/>, in pixels.</summary>
    private const int Width = 800, Height = 600, MenuX = 268, MenuY = 13, ItemX = 345, StartY = 38, EndY = 59, AuthenticateY = 80;

    private readonly List<Process> _processes = [];
    private readonly Dictionary<string, string> _environment;
    private readonly Dictionary<int, string> _shown = [];
    private int _conversation, _im;
    private string _contact = "";

    private Pidgin(Dictionary<string, string> environment) => _environment = environment;

    /// <summary>Starts it as alice. Skips the test where a program is missing.</summary>
    public static async Task<Pidgin> StartAsync(string directory, int port)
    {
        foreach (var (program, package) in s_programs) Assert.SkipUnless(File.Exists(program), $"{program} is missing: apt-get install {package}");
        var settings = Directory.CreateDirectory(Path.Combine(directory, ".purple")).FullName;
        await File.WriteAllTextAsync(Path.Combine(settings, "accounts.xml"), $"""
            <?xml version='1.0' encoding='UTF-8' ?>
            <account version='1.0'><account>
              <protocol>prpl-jabber</protocol><name>{XmppStage.Alice}/pidgin</name><password>alice-password</password>
              <settings>
                <setting name='connect_server' type='string'>127.0.0.1</setting>
                <setting name='port' type='int'>{port}</setting>
                <setting name='connection_security' type='string'>opportunistic_tls</setting>
                <setting name='auth_plain_in_clear' type='bool'>1</setting>
              </settings>
              <settings ui='gtk-gaim'><setting name='auto-login' type='bool'>1</setting></settings>
            </account></account>

            """);
        await File.WriteAllTextAsync(Path.Combine(settings, "prefs.xml"), $"""
            <?xml version='1.0' encoding='UTF-8' ?>
            <pref version='1' name='/'><pref name='pidgin'><pref name='plugins'><pref name='loaded' type='pathlist'>
              <item value='{Plugin}'/>
            </pref></pref></pref></pref>

            """);
        var pidgin = new Pidgin(new()
        {
            ["HOME"] = directory, ["XDG_RUNTIME_DIR"] = directory, ["LANG"] = "C.UTF-8", ["NO_AT_BRIDGE"] = "1", ["GTK2_RC_FILES"] = "",
        });
        try
        {
            var display = await pidgin.LaunchAsync("/usr/bin/Xvfb", "-displayfd", "1", "-screen", "0", "1000x800x24", "-nolisten", "tcp");
            pidgin._environment["DISPLAY"] = ":" + display;
            pidgin._environment["DBUS_SESSION_BUS_ADDRESS"] =
                await pidgin.LaunchAsync("/usr/bin/dbus-daemon", "--session", "--nofork", "--print-address");
            pidgin.Launch("/usr/bin/pidgin", "-c", settings);
            await Wait.UntilAsync(async () => Number(await pidgin.CallAsync("PurpleAccountsGetAllActive")) is { } account
                && Number(await pidgin.CallAsync("PurpleAccountIsConnected", account)) == 1);
            return pidgin;
        }
        catch
        {
            await pidgin.DisposeAsync();
            throw;
        }
    }

    /// <summary>Opens a contact's window.</summary>
    public async Task OpenAsync(string contact)
    {
        _contact = contact;
        var account = Number(await CallAsync("PurpleAccountsGetAllActive"))!.Value;
        _conversation = Number(await CallAsync("PurpleConversationNew", 1, account, contact))!.Value;
        _im = Number(await CallAsync("PurpleConversationGetImData", _conversation))!.Value;
        await XdotoolAsync("windowsize", "--sync", await WindowAsync(contact), $"{Width}", $"{Height}");
    }

    public Task SayAsync(string text) => CallAsync("PurpleConvImSend", _im, text);

    /// <summary>Waits until the window shows a text so many times.</summary>
    public async Task ShowsAsync(string text, int times = 1)
    {
        try
        {
            await Wait.UntilAsync(async () =>
            {
                var history = await CallAsync("PurpleConversationGetMessageHistory", _conversation);
                foreach (Match match in Regex.Matches(history, @"int32 (\d+)"))
                {
                    int id = int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
                    if (!_shown.ContainsKey(id)) _shown[id] = await CallAsync("PurpleConversationMessageGetMessage", id);
                }
                return _shown.Values.Count(s => s.Contains(text, StringComparison.Ordinal)) >= times;
            });
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"Pidgin does not show '{text}' {times} times:\n{string.Join('\n', _shown.Values)}");
        }
    }

    /// <summary>Chooses "Start private conversation".</summary>
    public Task StartOtrAsync() => ChooseAsync(StartY);

    /// <summary>Chooses "End private conversation".</summary>
    public Task EndOtrAsync() => ChooseAsync(EndY);

    /// <summary>Waits for the key that Pidgin makes for its first session, and closes the dialog that says so.</summary>
    public async Task CloseKeyDialogAsync()
    {
        var window = await WindowAsync("Generating private key");
        await PressLastButtonAsync(window, "Generating private key");
    }

    /// <summary>Chooses "Authenticate buddy", and asks the contact a question.</summary>
    public async Task AskAsync(string question, string secret)
    {
        await ChooseAsync(AuthenticateY);
        var window = await WindowAsync(Dialog);
        await TypeAsync(window, 259, question);
        await TypeAsync(window, 318, secret);
        await PressLastButtonAsync(window, Dialog);
    }

    /// <summary>Waits for the contact's question, and answers it.</summary>
    public async Task AnswerAsync(string secret)
    {
        var window = await WindowAsync(Dialog);
        await TypeAsync(window, 247, secret);
        await PressLastButtonAsync(window, Dialog);
    }

    /// <summary>Closes the dialog that shows how the verification went on.</summary>
    public async Task CloseProgressAsync() => await PressLastButtonAsync(await WindowAsync(Progress), Progress);

    public async ValueTask DisposeAsync()
    {
        // The X server last: it is what the others are shown on.
        foreach (var process in Enumerable.Reverse(_processes))
        {
            if (!process.HasExited) process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }
    }

    private async Task ChooseAsync(int itemY)
    {
        var window = await WindowAsync(_contact);
        await XdotoolAsync("windowfocus", window, "mousemove", "--window", window, $"{MenuX}", $"{MenuY}", "click", "1");
        // The menu is a window of its own.
        await WindowAsync("^Pidgin$");
        await XdotoolAsync("mousemove", "--window", window, $"{ItemX}", $"{itemY}", "click", "1");
        await IsGoneAsync("^Pidgin$");
    }

    private Task TypeAsync(string window, int y, string text) =>
        XdotoolAsync("windowfocus", window, "mousemove", "--window", window, "295", $"{y}", "click", "1", "sleep", "0.2", "type", text);

    /// <summary>Presses the button at the lower right corner until the window is gone.</summary>
    private async Task PressLastButtonAsync(string window, string name)
    {
        await Wait.UntilAsync(async () =>
        {
            var geometry = await XdotoolAsync("getwindowgeometry", "--shell", window);
            if (Value(geometry, "WIDTH") is { } width && Value(geometry, "HEIGHT") is { } height)
                await XdotoolAsync("mousemove", "--window", window, $"{width - 62}", $"{height - 30}", "click", "1");
            await Task.Delay(200);
            return !(await XdotoolAsync("search", "--onlyvisible", "--name", name)).Split('\n').Contains(window);
        });

        static int? Value(string shell, string variable) =>
            Regex.Match(shell, $"{variable}=(\\d+)") is { Success: true } m ? int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture) : null;
    }

    /// <summary>Waits for a window, by a pattern of its title.</summary>
    private async Task<string> WindowAsync(string name)
    {
        var found = "";
        try
        {
            await Wait.UntilAsync(async () => (found = (await XdotoolAsync("search", "--onlyvisible", "--name", name)).Trim()).Length > 0);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"Pidgin does not open '{name}'. It shows: {await XdotoolAsync("search", "--onlyvisible", "--name", ".", "getwindowname", "%@")}");
        }
        return found.Split('\n')[0];
    }

    private Task IsGoneAsync(string name) =>
        Wait.UntilAsync(async () => (await XdotoolAsync("search", "--onlyvisible", "--name", name)).Trim().Length == 0);

    private Task<string> XdotoolAsync(params string[] arguments) => RunAsync("/usr/bin/xdotool", arguments);

    /// <summary>Calls a function of libpurple, and returns what dbus-send prints.</summary>
    private Task<string> CallAsync(string function, params object[] arguments) => RunAsync("/usr/bin/dbus-send",
    [
        "--print-reply", "--dest=im.pidgin.purple.PurpleService", "/im/pidgin/purple/PurpleObject",
        $"im.pidgin.purple.PurpleInterface.{function}", .. arguments.Select(a => a is int ? $"int32:{a}" : $"string:{a}"),
    ]);

    private static int? Number(string reply) =>
        Regex.Match(reply, @"int32 (\d+)") is { Success: true } m ? int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture) : null;

    private async Task<string> LaunchAsync(string program, params string[] arguments) =>
        (await Launch(program, arguments).StandardOutput.ReadLineAsync().InTime())!.Trim();

    private Process Launch(string program, params string[] arguments)
    {
        var process = Process.Start(StartInfo(program, arguments))!;
        process.BeginErrorReadLine();
        _processes.Add(process);
        return process;
    }

    private async Task<string> RunAsync(string program, string[] arguments)
    {
        using var process = Process.Start(StartInfo(program, arguments))!;
        process.BeginErrorReadLine();
        var output = await process.StandardOutput.ReadToEndAsync().InTime();
        await process.WaitForExitAsync().InTime();
        return output;
    }

    private ProcessStartInfo StartInfo(string program, string[] arguments)
    {
        var info = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in _environment) info.Environment[name] = value;
        return info;
    }
}
