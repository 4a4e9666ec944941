using System.CommandLine;
using System.Security.Cryptography;
using System.Text;
using Otr.Core;
using Relay.Cli.Keys;
using Relay.Cli.Verify;
using Relay.Gateway.Hosting;

namespace Relay.Cli.Endpoints;

/// <summary>
/// What seals an archive of identities, and opens it: a passphrase, or the two halves of a key pair, as the options of the commands name
/// them. Keys are in Base64.
/// </summary>
internal static class ArchiveSeal
{
    public static Option<string?> PassphraseFile { get; } = new("--passphrase-file")
    {
        Description = "File whose first line is the passphrase. Default: it is asked for.",
        HelpName = "FILE",
    };

    public static Option<string?> PrivateKeyFile { get; } = new("--private-key-file")
    {
        Description = "The private key that 'relay endpoints new-archive-key' made, if the archive was sealed to its public key.",
        HelpName = "FILE",
    };

    public static Option<string?> PublicKey { get; } = new("--to")
    {
        Description = "Seal to the public key that 'relay endpoints new-archive-key' printed, instead of a passphrase.",
        HelpName = "KEY",
    };

    /// <summary>The command <c>relay endpoints new-archive-key</c>.</summary>
    public static Command CreateKeyCommand()
    {
        var file = new Option<string>("--out", "-o") { Description = "New file for the private key.", HelpName = "FILE", Required = true };
        var command = new Command("new-archive-key", "Make a key pair to which archives of identities can be sealed.") { file };
        command.SetAction(parsed =>
        {
            using var secret = NewKeyFile.Create(parsed.GetRequiredValue(file));
            var (privateKey, publicKey) = SealedFile.GenerateKeyPair(SystemRandom.Instance);
            secret.Write(Convert.ToBase64String(privateKey));
            CryptographicOperations.ZeroMemory(privateKey);
            var text = Convert.ToBase64String(publicKey);
            if (parsed.GetValue(CommonOptions.Json)) Report.Json(new System.Text.Json.Nodes.JsonObject { ["publicKey"] = text });
            else Console.Out.WriteLine(text);
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>The public key of <c>--to</c>; null if a passphrase seals.</summary>
    /// <exception cref="CommandFailure">It is no key.</exception>
    public static byte[]? ReadPublicKey(ParseResult parsed)
    {
        if (parsed.GetValue(PublicKey) is not { } text) return null;
        if (parsed.GetValue(PassphraseFile) is not null)
            throw new CommandFailure(ExitCode.Usage, "--to and --passphrase-file exclude each other.");
        return TryKey(text) ?? throw new CommandFailure(
            ExitCode.Usage, "--to must be the public key as 'relay endpoints new-archive-key' prints it: 44 characters of Base64.");
    }

    /// <summary>The private key of <c>--private-key-file</c>; null if a passphrase opens.</summary>
    /// <exception cref="CommandFailure">The file holds no key.</exception>
    public static byte[]? ReadPrivateKey(ParseResult parsed)
    {
        if (parsed.GetValue(PrivateKeyFile) is not { } path) return null;
        if (parsed.GetValue(PassphraseFile) is not null)
            throw new CommandFailure(ExitCode.Usage, "--private-key-file and --passphrase-file exclude each other.");
        return TryKey(ReadFile(path)) ?? throw new CommandFailure(
            ExitCode.Usage, $"{path} holds no private key of 'relay endpoints new-archive-key'.");
    }

    /// <summary>The passphrase of the file, or typed.</summary>
    /// <param name="isNew">Whether it is typed twice.</param>
    /// <exception cref="CommandFailure">There is none, or it is too short or too long.</exception>
    public static string ReadPassphrase(ParseResult parsed, bool isNew)
    {
        var text = parsed.GetValue(PassphraseFile) is { } path ? ReadFile(path) : Ask(isNew);
        if (Encoding.UTF8.GetByteCount(text) is >= GatewayLimits.MinPassphraseBytes and <= GatewayLimits.MaxPassphraseBytes) return text;
        throw new CommandFailure(ExitCode.Usage,
            $"A passphrase has {GatewayLimits.MinPassphraseBytes} to {GatewayLimits.MaxPassphraseBytes} bytes of UTF-8.");
    }

    private static string Ask(bool isNew)
    {
        if (Console.IsInputRedirected)
        {
            throw new CommandFailure(ExitCode.Usage, "The passphrase is missing, and nobody can be asked here.",
                "Name a file with --passphrase-file, or seal to a public key.");
        }
        var typed = SecretPrompt.Read("Passphrase: ") ?? "";
        if (isNew && SecretPrompt.Read("Again: ") != typed)
            throw new CommandFailure(ExitCode.Usage, "The two passphrases differ; nothing was exported.");
        return typed;
    }

    private static string ReadFile(string path)
    {
        try
        {
            using var reader = new StreamReader(path, Encoding.UTF8);
            return reader.ReadLine() ?? "";
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CommandFailure(ExitCode.Usage, $"There is no file {path}.", inner: e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Usage, $"{path} cannot be read ({e.Message}).", inner: e);
        }
    }

    private static byte[]? TryKey(string text)
    {
        var key = new byte[SealedFile.KeySize + 1];
        return Convert.TryFromBase64String(text.Trim(), key, out int length) && length == SealedFile.KeySize ? key[..length] : null;
    }
}
