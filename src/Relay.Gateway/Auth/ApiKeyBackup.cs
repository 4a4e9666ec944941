using System.Text.Json;
using Relay.Actors.Backups;
using Relay.Gateway.Hosting;
using Relay.Storage;

namespace Relay.Gateway.Auth;

/// <summary>The API keys of a store for its backup: hashes with names, scopes and endpoints; never the keys themselves.</summary>
public sealed class ApiKeyBackup(string dataDirectory) : IApiKeyBackup
{
    private string FilePath => Path.Combine(dataDirectory, ApiKeyFile.FileName);

    public string DocumentName => SharedApiKeys.DocumentName;

    public byte[]? ReadFile()
    {
        if (!File.Exists(FilePath)) return null;
        try
        {
            var list = File.ReadAllBytes(FilePath);
            ApiKeyDocument.Read(list);
            return list;
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new RelayStartException(
                $"{FilePath} cannot be read as a list of API keys ({e.Message}). Restore it, or move it away. Nothing was changed.", e);
        }
    }

    public void WriteFile(byte[] list) => PrivateFile.Write(FilePath, list);

    public byte[]? TryMerge(ReadOnlySpan<byte> list, byte[]? others)
    {
        try
        {
            var keys = ApiKeyDocument.Read(list);
            if (keys.Count > GatewayLimits.MaxApiKeys) return null;
            if (others is null) return list.ToArray();
            foreach (var (id, key) in ApiKeyDocument.Read(others).Where(k => !keys.ContainsKey(k.Key)))
            {
                // The request id under which a first admin key is made belongs to one key only.
                bool isTaken = key.RequestId is not null && keys.Values.Any(k => k.RequestId == key.RequestId);
                keys = keys.Add(id, isTaken ? key with { RequestId = null } : key);
            }
            return ApiKeyDocument.Write(keys);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
