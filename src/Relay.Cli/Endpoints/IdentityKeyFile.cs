using System.Buffers;
using System.Security.Cryptography;
using Google.Protobuf;
using Otr.Core;
using Relay.Gateway.Hosting;

namespace Relay.Cli.Endpoints;

/// <summary>
/// Reads the identity key of one account from a key file of any known program. The key is chosen here, so that the server does not get
/// the file's other keys.
/// </summary>
internal static class IdentityKeyFile
{
    /// <summary>The chosen account's key as a libotr key file of one account, for a request.</summary>
    /// <param name="account">The account as the file names it; null: the only one, or the one of the endpoint's address.</param>
    /// <param name="address">The endpoint's address on its network.</param>
    /// <exception cref="CommandFailure">The file holds no such key, or it must be said which one is meant.</exception>
    public static ByteString Read(string path, string? account, string address)
    {
        using var content = Load(path);
        var key = account is null ? content.KeyFor(address) : content.Keys.FirstOrDefault(k => k.AccountName == account);
        if (key is null) throw NoKey(path, content, account, "Choose one with --otr-key-account NAME.");
        // Large enough not to grow, which would leave copies of the key behind.
        var file = new ArrayBufferWriter<byte>(GatewayLimits.MaxKeyFileBytes);
        // Some formats name no account.
        LibotrPrivateKeyFile.Write([key.AccountName.Length > 0 ? key : key with { AccountName = address, Protocol = "otr" }], file);
        var request = ByteString.CopyFrom(file.WrittenSpan);
        file.Clear();
        return request;
    }

    private static OtrKeyFileContent Load(string path)
    {
        byte[] file;
        try
        {
            file = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Usage, $"{path} cannot be read ({e.Message}).");
        }
        var content = OtrKeyFile.Read(file);
        CryptographicOperations.ZeroMemory(file);
        return content;
    }

    /// <summary>No key of the file is taken: there is none, or it must be said which one is meant. The failure lists the accounts.</summary>
    public static CommandFailure NoKey(string path, OtrKeyFileContent content, string? account, string hint)
    {
        var problems = content.Problems.Select(p => $"{(p.AccountName.Length > 0 ? p.AccountName + ": " : "")}{p.Reason}");
        if (content.Keys.Count == 0)
            return new(ExitCode.Usage, $"{path} holds no usable key. Format: {content.Format}.") { More = [.. problems] };
        var accounts = content.Keys.Select(k => $"{k.AccountName}   {k.Protocol}   {k.Key.PublicKey.Fingerprint.ToHuman()}");
        var message = account is null
            ? $"{path} holds the keys of {content.Keys.Count} accounts:"
            : $"{path} holds no key of the account {account}, but of:";
        return new(ExitCode.Usage, message, hint) { More = [.. accounts, .. problems] };
    }
}
