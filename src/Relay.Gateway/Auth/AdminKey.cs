using System.Text;
using Otr.Core;
using Relay.Actors;
using Relay.Storage;

namespace Relay.Gateway.Auth;

/// <summary>
/// Creates the first admin key on first start: <c>admin.key</c> (0600) in the data directory, or the file that the operator
/// names. The token's file is written before its hash is stored, and an existing file is accepted when no key is stored: a
/// crash in between locks nobody out, and an operator may provide the first key.
/// </summary>
public static class AdminKey
{
    /// <summary>The file's name in the data directory.</summary>
    public const string FileName = "admin.key";

    /// <summary>
    /// Creates or accepts the first admin key if no key is stored. A key in a file that the operator names is always accepted, so
    /// that all nodes can be given the same one; a revoked key stays revoked. Returns true if the key was created by this call.
    /// </summary>
    /// <param name="file">The file that the operator names; null: <c>admin.key</c> in the data directory.</param>
    /// <exception cref="RelayStartException">The file does not contain an API key.</exception>
    /// <exception cref="StoreException">The keys cannot be written.</exception>
    public static async Task<bool> EnsureAsync(
        string dataDirectory, string? file, IApiKeyStore keys, IRandomSource random, TimeProvider time, CancellationToken cancellation)
    {
        var path = file ?? Path.Combine(dataDirectory, FileName);
        bool isNew = !File.Exists(path), isFirst = keys.List().Count == 0;
        if (!isFirst && (file is null || isNew)) return false;
        ApiKeyToken? token;
        if (isNew)
        {
            token = ApiKeyToken.Create(random);
            PrivateFile.Write(path, Encoding.ASCII.GetBytes(token.Reveal() + "\n"));
        }
        else if (!ApiKeyToken.TryParse(PrivateFile.ReadSecret(path), out token))
        {
            throw new RelayStartException($"{path} does not contain an API key of Relay. Nothing was changed. "
                + "Move the file away; the next start creates a new admin key.");
        }
        // The shared request id deduplicates the first keys of several nodes that start at the same time.
        var key = new ApiKey(token.Id, s_scopes, Convert.ToHexStringLower(token.Hash()), [],
            isFirst ? "first admin key" : "admin key from a file", time.GetUtcNow(), null, null,
            isFirst && isNew ? FirstKeyRequest : null);
        var result = await keys.AddAsync(key, cancellation);
        if (result is AddKeyResult.TooMany)
            throw new RelayStartException($"The key in {path} cannot be added: there are {Hosting.GatewayLimits.MaxApiKeys} keys already.");
        if (result is AddKeyResult.Added) return isNew;
        // Another node stored its first key earlier, so the token in this node's file is not valid.
        File.Delete(path);
        return false;
    }

    /// <summary>Of an operator's key: everything but text. It has no expiry, so that an operator is never locked out.</summary>
    private static readonly KeyScope[] s_scopes = [KeyScope.Admin, KeyScope.Monitor, KeyScope.Trust, KeyScope.Keys];

    /// <summary>Contains a line feed, which request ids of callers cannot contain.</summary>
    private const string FirstKeyRequest = "first\nadmin key";
}
