using System.Text;
using Otr.Core;
using Relay.Actors;
using Relay.Storage;

namespace Relay.Gateway.Auth;

/// <summary>
/// The first admin key: <c>admin.key</c> (0600) in the data directory, or where the operator says, made on first start.
/// The token is written before its hash is listed, and a token found without a list is taken up: so a crash in between
/// locks nobody out, and an operator may provide the first key.
/// </summary>
public static class AdminKey
{
    /// <summary>The file's name in the data directory.</summary>
    public const string FileName = "admin.key";

    /// <summary>
    /// Makes or takes up the first admin key if there is no key at all. A key in a file that the operator names is taken up
    /// in any case, so that all nodes may be given the same; a revoked one stays revoked. Returns true if it was made now.
    /// </summary>
    /// <param name="file">The operator's file; null: <c>admin.key</c> in the data directory.</param>
    /// <exception cref="RelayStartException">The file holds something else.</exception>
    /// <exception cref="Actors.Store.StoreException">The keys cannot be written.</exception>
    public static async Task<bool> EnsureAsync(string dataDirectory, string? file, IApiKeyStore keys, IRandomSource random, TimeProvider time, CancellationToken cancellation)
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
            throw new RelayStartException($"{path} holds no API key of Relay. Nothing was changed. Move the file away, and a new admin key is made.");
        }
        // The request's id makes the first key of several nodes that start at once one key.
        var key = new ApiKey(token.Id, KeyScope.Admin, Convert.ToHexStringLower(token.Hash()), [], isFirst ? "first admin key" : "admin key from a file", time.GetUtcNow(), null, null,
            isFirst && isNew ? FirstKeyRequest : null);
        var result = await keys.AddAsync(key, cancellation);
        if (result is AddKeyResult.TooMany) throw new RelayStartException($"The key in {path} cannot be taken up: there are {Hosting.GatewayLimits.MaxApiKeys} keys already.");
        if (result is AddKeyResult.Added) return isNew;
        // Another node was first: what was made here opens nothing.
        File.Delete(path);
        return false;
    }

    /// <summary>No caller's request id has a line's end in it.</summary>
    private const string FirstKeyRequest = "first\nadmin key";
}
