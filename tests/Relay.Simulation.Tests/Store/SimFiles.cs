using Relay.Storage;

namespace Relay.Simulation.Tests.Store;

/// <summary>The files of the shared database.</summary>
internal sealed class SimFiles
{
    private readonly Dictionary<(string Endpoint, string Id), (FileRow Row, List<byte[]> Portions)> _files = [];

    public FileQuota Quota { get; set; } = FileQuota.Default;

    public SimFiles Copy()
    {
        var copy = new SimFiles { Quota = Quota };
        foreach (var (key, file) in _files) copy._files.Add(key, (file.Row, [.. file.Portions]));
        return copy;
    }

    public SaveFileResult Save(FileRow file)
    {
        var key = (file.EndpointId, file.Id);
        bool isThere = _files.TryGetValue(key, out var old);
        if ((isThere ? old.Row.Revision : 0) != file.Revision - 1) return SaveFileResult.Conflict;
        var others = _files.Values.Select(f => f.Row).Where(f => f.EndpointId == file.EndpointId && f.Id != file.Id).ToArray();
        var mine = others.Where(f => f.ConversationId == file.ConversationId).ToArray();
        if (others.Length >= Quota.Files || mine.Length >= Quota.ConversationFiles) return SaveFileResult.Full;
        if (file.Reserved > 0 && (others.Sum(f => f.Reserved) + file.Reserved > Quota.Bytes
            || mine.Sum(f => f.Reserved) + file.Reserved > Quota.ConversationBytes)) return SaveFileResult.Full;
        _files[key] = (file, isThere ? old.Portions : []);
        return SaveFileResult.Saved;
    }

    public StoredFile? Load(string endpoint, string id) => _files.TryGetValue((endpoint, id), out var file) ? Show(file) : null;

    public IReadOnlyList<StoredFile> List(string endpoint, string? afterId, int max)
        => [.. _files.Values.Where(f => f.Row.EndpointId == endpoint && string.CompareOrdinal(f.Row.Id, afterId) > 0)
            .OrderBy(f => f.Row.Id, StringComparer.Ordinal).Take(max).Select(Show)];

    public bool Append(string endpoint, string id, uint number, byte[] value)
    {
        if (!_files.TryGetValue((endpoint, id), out var file) || file.Portions.Count != number) return false;
        file.Portions.Add(value);
        return true;
    }

    public IReadOnlyList<byte[]> Read(string endpoint, string id, uint first, int max)
        => _files.TryGetValue((endpoint, id), out var file) ? [.. file.Portions.Skip((int)first).Take(max)] : [];

    public void Delete(string endpoint, string id) => _files.Remove((endpoint, id));

    public void Purge(string endpoint)
    {
        foreach (var key in _files.Keys.Where(k => k.Endpoint == endpoint).ToArray()) _files.Remove(key);
    }

    public IReadOnlyList<(string EndpointId, string Id)> Due(long untilMs, int max)
        => [.. _files.Values.Where(f => f.Row.ExpiresMs <= untilMs).OrderBy(f => f.Row.ExpiresMs).Take(max).Select(f => (f.Row.EndpointId, f.Row.Id))];

    private static StoredFile Show((FileRow Row, List<byte[]> Portions) file) => new(file.Row, (uint)file.Portions.Count);
}
