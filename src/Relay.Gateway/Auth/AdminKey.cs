using System.Text;
using Otr.Core;
using Relay.Actors;

namespace Relay.Gateway.Auth;

/// <summary>
/// The first admin key: <c>admin.key</c> (0600) in the data directory, made on first start. The token is written before
/// its hash is listed, and a token found without a list is taken up: so a crash in between locks nobody out, and an
/// operator may provide the first key.
/// </summary>
public static class AdminKey
{
    /// <summary>The file's name in the data directory.</summary>
    public const string FileName = "admin.key";

    /// <summary>Makes or takes up the first admin key if there is no key at all. Returns true if it was made now.</summary>
    /// <exception cref="RelayStartException">`admin.key` holds something else.</exception>
    public static bool Ensure(string dataDirectory, ApiKeyFile keys, IRandomSource random, TimeProvider time)
    {
        if (keys.List().Count > 0) return false;
        var path = Path.Combine(dataDirectory, FileName);
        bool isNew = !File.Exists(path);
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
        keys.TryAdd(new ApiKey(token.Id, KeyScope.Admin, Convert.ToHexStringLower(token.Hash()), [], "first admin key", time.GetUtcNow(), null, null, null));
        return isNew;
    }
}
