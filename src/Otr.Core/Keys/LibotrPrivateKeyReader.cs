using System.Text;
using Otr.Core.Crypto;

namespace Otr.Core.Keys;

/// <summary>
/// Reads one private key file, list by list. Inside a list the entries may come in any order, unknown ones are skipped, as
/// libotr does by looking entries up by name. Numbers stay in memory that is wiped.
/// </summary>
internal sealed class LibotrPrivateKeyReader : IDisposable
{
    private const string NumberNames = "pqgyx";
    private const string Remedy = "; export the key file again, or restore it from a backup";

    private static readonly UTF8Encoding StrictUtf8 = new(false, true);

    private readonly SecretBytes _atom = new(LibotrFileLimits.MaxAtomBytes);
    private readonly SecretBytes _numbers = new(NumberNames.Length * LibotrFileLimits.MaxAtomBytes);
    private readonly int[] _numberLengths = new int[NumberNames.Length];
    private readonly List<LibotrAccountKey> _keys = [];
    private readonly List<OtrKeyFileProblem> _damaged = [];
    private string? _name, _protocol;
    private bool _hasKey;
    private char? _missing;

    /// <summary>Reads the file; returns what is wrong, or null.</summary>
    public string? Read(ReadOnlySpan<byte> file)
    {
        var reader = new SExpressionReader(file, _atom.Span);
        if (!ReadFile(ref reader)) return (reader.Problem ?? "the file is not readable") + Remedy;
        return null;
    }

    /// <summary>Accounts whose lists are whole but hold no sound DSA key; they are among no keys.</summary>
    public IReadOnlyList<OtrKeyFileProblem> Damaged => _damaged;

    /// <summary>Hands the keys over.</summary>
    public IReadOnlyList<LibotrAccountKey> TakeKeys()
    {
        var keys = _keys.ToArray();
        _keys.Clear();
        return keys;
    }

    /// <summary>Wipes everything that was not handed over.</summary>
    public void Dispose()
    {
        _atom.Dispose();
        _numbers.Dispose();
        foreach (var key in _keys) key.Dispose();
        _keys.Clear();
    }

    private bool ReadFile(ref SExpressionReader reader)
    {
        if (reader.Read() != SExpressionToken.Open || reader.Read() != SExpressionToken.Atom || !reader.Atom.SequenceEqual("privkeys"u8))
            return Fail(ref reader, "'(privkeys' expected; this is not a private key file of libotr");
        while (true)
        {
            switch (reader.Read())
            {
                case SExpressionToken.Close:
                    return reader.Read() == SExpressionToken.End || Fail(ref reader, "something after the last ')'");
                case SExpressionToken.Open:
                    if (!ReadAccount(ref reader)) return false;
                    break;
                default:
                    return Fail(ref reader, "'(account' or ')' expected");
            }
        }
    }

    private bool ReadAccount(ref SExpressionReader reader)
    {
        (_name, _protocol, _hasKey, _missing) = (null, null, false, null);
        if (reader.Read() != SExpressionToken.Atom || !reader.Atom.SequenceEqual("account"u8)) return Fail(ref reader, "'account' expected");
        if (!ReadEntries(ref reader, Account)) return false;
        if (_name is null) return Damage(ref reader, "an account without a name");
        if (_protocol is null) return Damage(ref reader, "an account without a protocol");
        if (_missing is { } missing) return Damage(ref reader, $"a key without its number {missing}");
        if (!_hasKey) return Damage(ref reader, "an account without a private key");
        return AddKey(ref reader);
    }

    private delegate bool EntryReader(ref SExpressionReader reader);

    /// <summary>Reads the entries of a list up to its end: <paramref name="entry"/> is called after the tag, and reads to its ')'.</summary>
    private static bool ReadEntries(ref SExpressionReader reader, EntryReader entry)
    {
        while (true)
        {
            switch (reader.Read())
            {
                case SExpressionToken.Close:
                    return true;
                case SExpressionToken.Open:
                    if (reader.Read() != SExpressionToken.Atom) return Fail(ref reader, "a list without a name");
                    if (!entry(ref reader)) return false;
                    break;
                case SExpressionToken.Atom:
                    break;
                default:
                    return Fail(ref reader, "a list without its ')'");
            }
        }
    }

    private bool Account(ref SExpressionReader reader)
    {
        if (reader.Atom.SequenceEqual("name"u8)) return ReadName(ref reader, ref _name, "name");
        if (reader.Atom.SequenceEqual("protocol"u8)) return ReadName(ref reader, ref _protocol, "protocol");
        if (reader.Atom.SequenceEqual("private-key"u8)) return ReadEntries(ref reader, PrivateKey);
        return Skip(ref reader);
    }

    private bool PrivateKey(ref SExpressionReader reader)
    {
        if (!reader.Atom.SequenceEqual("dsa"u8)) return Skip(ref reader);
        if (_hasKey) return Fail(ref reader, "a second key in one account");
        Array.Fill(_numberLengths, -1);
        if (!ReadEntries(ref reader, Number)) return false;
        var missing = Array.IndexOf(_numberLengths, -1);
        if (missing >= 0) _missing = NumberNames[missing];
        _hasKey = true;
        return true;
    }

    private bool Number(ref SExpressionReader reader)
    {
        var index = reader.Atom.Length == 1 ? NumberNames.IndexOf((char)reader.Atom[0]) : -1;
        if (index < 0) return Skip(ref reader);
        if (_numberLengths[index] >= 0) return Fail(ref reader, $"the number {NumberNames[index]} twice");
        if (reader.Read() != SExpressionToken.Atom) return Fail(ref reader, $"the number {NumberNames[index]} has no value");
        var value = reader.Atom.TrimStart((byte)0);
        value.CopyTo(_numbers.Span[(index * LibotrFileLimits.MaxAtomBytes)..]);
        _numberLengths[index] = value.Length;
        return Close(ref reader);
    }

    private static bool ReadName(ref SExpressionReader reader, ref string? name, string what)
    {
        if (name is not null) return Fail(ref reader, $"a second {what} in one account");
        if (reader.Read() != SExpressionToken.Atom || reader.Atom.IsEmpty) return Fail(ref reader, $"an empty {what}");
        if (reader.Atom.Contains((byte)0)) return Fail(ref reader, $"a {what} with a zero byte");
        try
        {
            name = StrictUtf8.GetString(reader.Atom);
        }
        catch (DecoderFallbackException)
        {
            return Fail(ref reader, $"a {what} that is not UTF-8");
        }
        return Close(ref reader);
    }

    private static bool Close(ref SExpressionReader reader) =>
        reader.Read() == SExpressionToken.Close || Fail(ref reader, "')' expected");

    // An entry that nobody knows: everything up to the ')' that ends it.
    private static bool Skip(ref SExpressionReader reader)
    {
        var outside = reader.Depth - 1;
        while (reader.Depth > outside)
            if (reader.Read() is SExpressionToken.Invalid or SExpressionToken.End) return Fail(ref reader, "a list without its ')'");
        return true;
    }

    private bool AddKey(ref SExpressionReader reader)
    {
        if (!DsaPrivateKey.TryImport(Value(0), Value(1), Value(2), Value(3), Value(4), out var key))
            return Damage(ref reader, "the key of the account that ends here is not valid: its numbers do not belong together");
        var added = new LibotrAccountKey(_name!, _protocol!, key);
        var earlier = _keys.FindIndex(k => k.AccountName == added.AccountName && k.Protocol == added.Protocol);
        if (earlier >= 0)
        {
            _keys[earlier].Dispose();
            _keys[earlier] = added;
            return true;
        }
        _keys.Add(added);
        return _keys.Count <= LibotrFileLimits.MaxPrivateKeys || Fail(ref reader, $"more than {LibotrFileLimits.MaxPrivateKeys} keys");
    }

    /// <summary>Passes over an account that ends here, and notes it.</summary>
    private bool Damage(ref SExpressionReader reader, string reason)
    {
        _damaged.Add(new OtrKeyFileProblem(_name ?? "", _protocol ?? "", reader.Place + reason + Remedy));
        return _damaged.Count <= LibotrFileLimits.MaxPrivateKeys
            || Fail(ref reader, $"more than {LibotrFileLimits.MaxPrivateKeys} damaged keys");
    }

    private ReadOnlySpan<byte> Value(int index) => _numbers.Span.Slice(index * LibotrFileLimits.MaxAtomBytes, _numberLengths[index]);

    private static bool Fail(ref SExpressionReader reader, string reason)
    {
        reader.Fail(reason);
        return false;
    }
}
