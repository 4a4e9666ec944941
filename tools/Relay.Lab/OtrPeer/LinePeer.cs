using System.Buffers;
using System.Globalization;
using System.Text;
using Otr.Core;

namespace Relay.Lab.OtrPeer;

/// <summary>
/// Controls an Otr.Core conversation by the line protocol of OTR test peers: commands in, JSON events out. Additional commands
/// are <c>pass &lt;seconds&gt;</c> (advances the clock and runs due timers) and <c>snapshot-restart [always]</c> (writes the
/// conversation to a snapshot and restores it, once or after every command). A key is generated when one is needed, unless
/// <c>loadkey</c> has failed and there is none: then commands that need it fail. Due timers run at the start of the next command,
/// because nothing is printed between commands.
/// </summary>
public sealed class LinePeer : IDisposable
{
    private const int SmallestFragment = 64, LargestFragment = 1_000_000;

    private readonly string _account;
    private readonly PeerOutput _output;
    private readonly PeerEffects _effects;
    private readonly IRandomSource _random;
    private readonly TimeProvider _time;
    private readonly Dictionary<string, Func<string, bool>> _commands;
    private readonly List<OtrEffect> _pending = [];

    private OtrSettings _settings = new() { Policy = OtrPolicy.Manual };
    private DsaPrivateKey? _key;
    private bool _loadFailed;
    private uint _instanceTag;
    private OtrConversation? _conversation;
    private long _ahead;
    private bool _restartAlways;

    /// <summary>Creates a peer and writes its "ready" event to <paramref name="output"/>.</summary>
    public LinePeer(string account, TextWriter output, IRandomSource random, TimeProvider time)
    {
        _account = account;
        _output = new PeerOutput(output);
        _effects = new PeerEffects(_output);
        _random = random;
        _time = time;
        _commands = new(StringComparer.Ordinal)
        {
            ["start"] = _ => Step("start", new OtrInput.StartRequested()),
            ["recv"] = rest => Base64(rest) is { } text ? Step("recv", new OtrInput.WireReceived(text)) : Fail("recv", "Not base64."),
            ["send"] = rest => Base64(rest) is { } text ? Step("send", new OtrInput.SendRequested(text)) : Fail("send", "Not base64."),
            ["smp-start"] = SmpStart,
            ["smp-answer"] = SmpAnswer,
            ["smp-abort"] = _ => Step("smp-abort", new OtrInput.SmpAbortRequested()),
            ["end"] = _ => Step("end", new OtrInput.EndRequested()),
            ["fragment"] = Fragment,
            ["policy"] = Policy,
            ["genkey"] = GenerateKey,
            ["loadkey"] = LoadKey,
            ["fingerprint"] = _ => PrintFingerprints(),
            ["extra-key"] = ExtraKey,
            ["instag"] = InstanceTag,
            ["state"] = _ => PrintState(),
            ["pass"] = Pass,
            ["snapshot-restart"] = SnapshotRestart,
        };
        _output.Ready("relay", typeof(OtrConversation).Assembly.GetName().Version?.ToString(3) ?? "0");
    }

    /// <summary>Executes one command line. Returns false for <c>quit</c>.</summary>
    public bool Execute(string line)
    {
        var blank = line.IndexOf(' ');
        var (name, rest) = blank < 0 ? (line, "") : (line[..blank], line[(blank + 1)..]);
        if (name == "quit")
        {
            _output.Done(name, true);
            return false;
        }
        RunDueTimers();
        var ok = _commands.TryGetValue(name, out var run) ? run(rest) : Fail(name, "Unknown command.");
        if (_restartAlways) Restore(_settings);
        _output.Done(name, ok);
        return true;
    }

    /// <summary>Wipes the conversation and the key.</summary>
    public void Dispose()
    {
        _conversation?.Dispose();
        _key?.Dispose();
    }

    private long Now => _time.GetUtcNow().ToUnixTimeMilliseconds() + _ahead;

    /// <summary>
    /// True if a key was to be loaded and could not be. No key is generated then, because it would pass for the one that was asked for.
    /// </summary>
    private bool HasNoKey => _key is null && _loadFailed;

    private DsaPrivateKey Key => _key ??= DsaPrivateKey.Generate(_random);

    private OtrAccount Account => new(Key, OwnInstanceTag());

    private OtrConversation Conversation => _conversation ??= new OtrConversation(Account, _settings);

    private bool Step(string command, OtrInput input)
    {
        if (HasNoKey) return FailWithoutKey(command);
        _pending.Clear();
        Conversation.Step(input, new OtrEnvironment(Now, _random), _pending);
        return _effects.Print(command, _pending);
    }

    private bool Fail(string command, string text)
    {
        _output.Error(command, text);
        return false;
    }

    private bool FailWithoutKey(string command)
        => Fail(command, "There is no key: loadkey failed. Load another file, or generate a key with genkey.");

    private void RunDueTimers()
    {
        if (_conversation?.NextDeadline <= Now) Step("pass", new OtrInput.TimePassed());
    }

    private bool SmpStart(string rest)
    {
        var blank = rest.IndexOf(' ');
        var (word, question) = blank < 0 ? (rest, "") : (rest[..blank], rest[(blank + 1)..]);
        if (word.Length == 0) return Fail("smp-start", "A secret is missing.");
        if (WordOrBase64(word) is not { } secret || WordOrBase64(question) is not { } asked) return Fail("smp-start", "Not base64.");
        return Step("smp-start", new OtrInput.SmpStartRequested(secret, question.Length == 0 ? null : (ReadOnlyMemory<byte>?)asked));
    }

    private bool SmpAnswer(string rest)
    {
        if (rest.Length == 0) return Fail("smp-answer", "A secret is missing.");
        if (_effects.SmpToken is not { } token) return Fail("smp-answer", "The peer has not asked.");
        if (WordOrBase64(rest) is not { } secret) return Fail("smp-answer", "Not base64.");
        _effects.SmpToken = null;
        return Step("smp-answer", new OtrInput.SmpAnswerRequested(token, secret));
    }

    private bool Fragment(string rest)
    {
        if (!int.TryParse(rest, NumberStyles.None, CultureInfo.InvariantCulture, out var n) || n > LargestFragment)
            return Fail("fragment", "Not a number of bytes.");
        if (n is > 0 and < SmallestFragment) return Fail("fragment", "Too small for a fragment's header.");
        return Restore(_settings with { MaxWireBytes = n });
    }

    private bool Policy(string rest)
        => PeerPolicy.TryParse(rest, out var policy) ? Restore(_settings with { Policy = policy }) : Fail("policy", "Unknown flag.");

    private bool GenerateKey(string file)
    {
        if (!TryChangeKey(DsaPrivateKey.Generate(_random))) return Fail("genkey", "The key is in use by a private conversation.");
        return file.Length == 0 || PeerKeyFile.TryWrite(file, _account, Key, out var problem) || Fail("genkey", problem);
    }

    private bool LoadKey(string file)
    {
        if (!PeerKeyFile.TryRead(file, _account, out var key, out var problem))
        {
            _loadFailed = true;
            return Fail("loadkey", problem);
        }
        return TryChangeKey(key) || Fail("loadkey", "The key is in use by a private conversation.");
    }

    /// <summary>
    /// Changes the key, which is refused in a private conversation. Another conversation is bound to the old key, and is replaced.
    /// </summary>
    private bool TryChangeKey(DsaPrivateKey key)
    {
        if (_conversation is { State: MessageState.Encrypted })
        {
            key.Dispose();
            return false;
        }
        _conversation?.Dispose();
        _conversation = null;
        _key?.Dispose();
        _key = key;
        return true;
    }

    private bool PrintFingerprints()
    {
        if (HasNoKey) return FailWithoutKey("fingerprint");
        _output.Fingerprint("own", Key.PublicKey.Fingerprint, isNew: false);
        if (_conversation?.Sessions is [{ PeerFingerprint: { } peer }, ..]) _output.Fingerprint("peer", peer, isNew: false);
        return true;
    }

    private bool ExtraKey(string rest)
    {
        var words = rest.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length is < 1 or > 2 || !TryParseUse(words[0], out var use)) return Fail("extra-key", "Not a use code.");
        byte[] data;
        try { data = words.Length == 2 ? Convert.FromHexString(words[1]) : []; }
        catch (FormatException) { return Fail("extra-key", "Not hexadecimal."); }
        return Step("extra-key", new OtrInput.ExtraKeyRequested(use, data));
    }

    private static bool TryParseUse(string word, out uint use) => word.StartsWith("0x", StringComparison.Ordinal)
        ? uint.TryParse(word.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out use)
        : uint.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out use);

    private bool InstanceTag(string rest)
    {
        if (rest.Length > 0)
        {
            if (!uint.TryParse(rest, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var tag) || tag < 0x100)
                return Fail("instag", "Not an instance tag.");
            if (_conversation is not null) return Fail("instag", "The instance tag is in use.");
            _instanceTag = tag;
        }
        _output.InstanceTag(OwnInstanceTag());
        return true;
    }

    private uint OwnInstanceTag()
    {
        Span<byte> random = stackalloc byte[4];
        while (_instanceTag < 0x100)
        {
            _random.Fill(random);
            _instanceTag = BitConverter.ToUInt32(random);
        }
        return _instanceTag;
    }

    private bool PrintState()
    {
        _output.State(_conversation?.Sessions is [{ } best, ..] ? best : null, "asked");
        return true;
    }

    private bool Pass(string rest)
    {
        if (!int.TryParse(rest, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
            return Fail("pass", "Not a number of seconds.");
        _ahead += seconds * 1000L;
        return Step("pass", new OtrInput.TimePassed());
    }

    private bool SnapshotRestart(string rest)
    {
        if (rest is not ("" or "always")) return Fail("snapshot-restart", "Not \"always\".");
        _restartAlways |= rest == "always";
        return Restore(_settings);
    }

    /// <summary>
    /// Replaces the conversation by one restored from its snapshot, as a server does after a restart; also applies new settings.
    /// </summary>
    private bool Restore(OtrSettings settings)
    {
        _settings = settings;
        if (_conversation is null) return true;
        var snapshot = new ArrayBufferWriter<byte>();
        _conversation.WriteSnapshot(snapshot);
        _conversation.Dispose();
        if (!OtrConversation.TryRestore(snapshot.WrittenSpan, Account, settings, out _conversation))
            throw new InvalidOperationException("A snapshot that was just written cannot be restored.");
        return true;
    }

    private static byte[]? Base64(string text)
    {
        try { return Convert.FromBase64String(text); }
        catch (FormatException) { return null; }
    }

    private static byte[]? WordOrBase64(string word)
        => word.StartsWith("b64:", StringComparison.Ordinal) ? Base64(word[4..]) : Encoding.UTF8.GetBytes(word);
}
