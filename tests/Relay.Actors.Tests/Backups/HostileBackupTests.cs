using Otr.Core;
using Relay.Actors.Backups;
using Relay.Actors.Conversations;
using Relay.Actors.Tests.Harness;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Tests.Backups;

/// <summary>Files that are no backups, are another's, were cut or changed, or hold what none of ours would; disks that are full.</summary>
public sealed class HostileBackupTests : IDisposable
{
    private readonly BackupStage _stage = new();

    public void Dispose() => _stage.Dispose();

    private async Task<BackupFault> FaultAsync(byte[] content, ArchiveKey? key = null)
    {
        await File.WriteAllBytesAsync(_stage.File("changed"), content);
        var target = _stage.File("target");
        var e = await Assert.ThrowsAsync<BackupException>(() => BackupStage.Of(target).RestoreAsync(_stage.File("changed"), key ?? BackupStage.Opens, new RestoreOptions(true, false), default));
        // Found before anything is made.
        Assert.False(Directory.Exists(target));
        return e.Fault;
    }

    [Fact]
    public async Task Each_wrong_file_is_told_for_what_it_is_before_anything_is_written()
    {
        await using var relay = await TestRelay.StartAsync();
        for (int i = 0; i < 300; i++)
            await relay.AskAsync(new Command.SetTrust("t", TestKeys.Shared.PublicKey.Fingerprint, TrustLevel.Verified, new string('n', 500)), new ConversationAddress.ByPeer(TestRelay.Endpoint, $"peer{i}@example.net"));
        var file = await File.ReadAllBytesAsync(await _stage.BackUpAsync(relay.Directory));
        Assert.True(file.Length > 2 * SealedChunks.ChunkSize);
        Assert.Equal(BackupFault.NotABackup, await FaultAsync([]));
        Assert.Equal(BackupFault.NotABackup, await FaultAsync("PGDMP and so on"u8.ToArray()));
        Assert.Equal(BackupFault.NotABackup, await FaultAsync(SealedFile.SealTo("x"u8, BackupStage.To.Bytes.Span, SystemRandom.Instance)!));
        Assert.Equal(BackupFault.OtherFormat, await FaultAsync([.. file[..8], 2, .. file[9..]]));
        Assert.Equal(BackupFault.OtherFormat, await FaultAsync([.. file[..9], 3, .. file[10..]]));
        Assert.Equal(BackupFault.Changed, await FaultAsync(file[..20]));
        Assert.Equal(BackupFault.NotOpened, await FaultAsync(file[..42]));
        Assert.Equal(BackupFault.OtherSeal, await FaultAsync(file, new ArchiveKey.Passphrase("correct horse"u8.ToArray())));
        var (other, _) = SealedFile.GenerateKeyPair(SystemRandom.Instance);
        Assert.Equal(BackupFault.NotOpened, await FaultAsync(file, new ArchiveKey.PrivateKey(other)));
        foreach (int length in (int[])[file.Length - 1, file.Length - 200, 42 + SealedChunks.ChunkSize + SealedChunks.TagSize, 42 + 2 * (SealedChunks.ChunkSize + SealedChunks.TagSize)])
            Assert.NotEqual(BackupFault.Malformed, await FaultAsync(file[..length]));
        Assert.Equal(BackupFault.Changed, await FaultAsync([.. file, 0]));
        Assert.Equal(BackupFault.Changed, await FaultAsync([.. file[..100_000], (byte)(file[100_000] ^ 1), .. file[100_001..]]));

        var passphrase = new ArchiveKey.Passphrase("correct horse"u8.ToArray());
        await BackupStage.Of(relay.Directory).BackUpAsync(_stage.File("words"), passphrase, default);
        var words = await File.ReadAllBytesAsync(_stage.File("words"));
        Assert.Equal(BackupFault.NotOpened, await FaultAsync(words, new ArchiveKey.Passphrase("incorrect horse"u8.ToArray())));
        Assert.Equal(BackupFault.OtherSeal, await FaultAsync(words));
        Assert.Equal(300, (await BackupStage.Of(_stage.File("target")).RestoreAsync(_stage.File("words"), passphrase, new RestoreOptions(false, false), default)).Backup.Identities);
    }

    /// <summary>Whoever has the public key can seal anything.</summary>
    [Fact]
    public async Task A_file_that_opens_must_hold_what_a_backup_holds()
    {
        await using var relay = await TestRelay.StartAsync();
        await relay.AskAsync(new Command.SetTrust("t", TestKeys.Shared.PublicKey.Fingerprint, TrustLevel.Verified, null));
        var records = await ReadAsync(await _stage.BackUpAsync(relay.Directory, keys: new KeyList { Words = "admin" }));
        Assert.Equal([BackupPart.About, BackupPart.ApiKeys, BackupPart.Endpoint, BackupPart.Stream, BackupPart.Identities], records.Select(r => r.Part));
        var (about, keys, endpoint, stream, identities) = (records[0], records[1], records[2], records[3], records[4]);
        var foreign = new Record(BackupPart.Identities, [.. identities.Content]);
        // The endpoint's id is the first text of the record.
        foreign.Content[4] ^= 1;
        var moved = new Record(BackupPart.Identities, [.. identities.Content]);
        // The last character of the conversation's id: the peer's name in the row belongs to another.
        moved.Content[4 + 3 + 4 + 25] = (byte)(moved.Content[4 + 3 + 4 + 25] == 'a' ? 'e' : 'a');
        var otherKey = new Record(BackupPart.Endpoint, [.. endpoint.Content]);
        // The last byte of the private number: it belongs to the public key no more.
        otherKey.Content[^1] ^= 1;
        Record[][] wrong =
        [
            [], [endpoint], [about, about], [about, endpoint, endpoint], [about, keys, keys], [about, endpoint, keys], [about, identities],
            [about, stream], [about, endpoint, identities, stream], [about, endpoint, stream, stream], [about, endpoint, identities, identities],
            [about, otherKey], [about, endpoint, foreign], [about, endpoint, moved], [new Record(BackupPart.About, [2, .. about.Content[1..]])],
            [about, new Record(BackupPart.ApiKeys, [.. keys.Content[..^1], (byte)'!'])], [about, new Record((BackupPart)77, [1])],
            // Something after the end.
            [.. records, new Record(BackupPart.End, End(records, 1, null))],
            .. records.Select(r => records.Select(o => ReferenceEquals(o, r) ? new Record(o.Part, o.Content[..^1]) : o).ToArray()),
            .. records.Select(r => records.Select(o => ReferenceEquals(o, r) ? new Record(o.Part, [.. o.Content, 0]) : o).ToArray()),
        ];
        for (int i = 0; i < wrong.Length; i++)
        {
            var fault = await FaultAsync(Write(wrong[i]));
            Assert.True(fault == BackupFault.Malformed, $"{i}: {fault}");
        }
        // An end with another digest, or with other numbers; the last is right, and so is what this test makes.
        Assert.Equal(BackupFault.Malformed, await FaultAsync(WriteRaw(records, End(records, 1, new byte[32]))));
        Assert.Equal(BackupFault.Malformed, await FaultAsync(WriteRaw(records, End(records, 2, null))));
        Assert.Equal(BackupFault.Malformed, await FaultAsync(WriteRaw(records[..^1], End(records, 1, null))));
        await File.WriteAllBytesAsync(_stage.File("raw"), WriteRaw(records, End(records, 1, null)));
        Assert.Equal(1, (await BackupStage.RestoreAsync(_stage.File("raw"), _stage.File("raw-target"))).Backup.Endpoints);
        // The records themselves were fine.
        await File.WriteAllBytesAsync(_stage.File("again"), Write(records));
        Assert.Equal(1, (await BackupStage.RestoreAsync(_stage.File("again"), _stage.File("target"))).Backup.Identities);
    }

    [Fact]
    public async Task A_backup_that_cannot_be_written_leaves_no_file()
    {
        await using var relay = await TestRelay.StartAsync();
        var existing = _stage.File("existing");
        await File.WriteAllTextAsync(existing, "precious");
        Assert.Equal(BackupFault.NotWritten, (await Assert.ThrowsAsync<BackupException>(() => BackupStage.Of(relay.Directory).BackUpAsync(existing, BackupStage.To, default))).Fault);
        Assert.Equal("precious", await File.ReadAllTextAsync(existing));
        var nowhere = Path.Combine(_stage.File("none"), "backup");
        Assert.Equal(BackupFault.NotWritten, (await Assert.ThrowsAsync<BackupException>(() => BackupStage.Of(relay.Directory).BackUpAsync(nowhere, BackupStage.To, default))).Fault);
        var notAKey = new ArchiveKey.PublicKey(new byte[32]);
        Assert.Equal(BackupFault.NotWritten, (await Assert.ThrowsAsync<BackupException>(() => BackupStage.Of(relay.Directory).BackUpAsync(_stage.File("b"), notAKey, default))).Fault);
        Assert.Contains("no database", (await Assert.ThrowsAsync<RelayStartException>(() => BackupStage.Of(_stage.File("none"), sealingKey: Path.Combine(relay.Directory, "sealing.key")).BackUpAsync(_stage.File("b"), BackupStage.To, default))).Message, StringComparison.Ordinal);
        // A disk that becomes full on the way.
        using (var full = new FullDisk()) await Assert.ThrowsAsync<IOException>(() => BackupStage.Of(relay.Directory).BackUpAsync(full, BackupStage.To, default));
        await using var other = await TestRelay.StartAsync();
        var wrongKey = BackupStage.Of(relay.Directory, sealingKey: Path.Combine(other.Directory, "sealing.key"));
        Assert.Equal(BackupFault.OtherSealingKey, (await Assert.ThrowsAsync<BackupException>(() => wrongKey.BackUpAsync(_stage.File("b"), BackupStage.To, default))).Fault);
        Assert.Equal(["existing"], Directory.GetFiles(Path.GetDirectoryName(existing)!).Select(Path.GetFileName));
    }

    private sealed class FullDisk : MemoryStream
    {
        public override void Write(byte[] buffer, int offset, int count)
        {
            if (Length + count > 200) throw new IOException("No space left on device");
            base.Write(buffer, offset, count);
        }
    }

    private sealed record Record(BackupPart Part, byte[] Content);

    /// <summary>The content of a last record.</summary>
    /// <param name="digest">Null: the right one.</param>
    private static byte[] End(List<Record> records, long endpoints, byte[]? digest)
    {
        using var row = new RowWriter();
        row.Int64(endpoints);
        row.Int64(1);
        row.Int64(1);
        row.Int64(0);
        row.Bytes(digest ?? System.Security.Cryptography.SHA256.HashData([.. records.SelectMany(Bytes)]));
        return row.Written.ToArray();
    }

    private static byte[] Bytes(Record r) => [(byte)r.Part, 0, 0, (byte)(r.Content.Length >> 8), (byte)r.Content.Length, .. r.Content];

    /// <summary>A file of one chunk, written by the description of the format.</summary>
    private static byte[] WriteRaw(IEnumerable<Record> records, byte[] end)
    {
        using var seal = SealedChunks.ToHolderOf(BackupStage.To.Bytes.Span, SystemRandom.Instance)!;
        byte[] content = [.. records.SelectMany(Bytes), .. Bytes(new Record(BackupPart.End, end))];
        var chunk = new byte[content.Length + SealedChunks.TagSize];
        seal.Seal(content, isLast: true, chunk);
        return [.. seal.Head.Span, .. chunk];
    }

    private static async Task<List<Record>> ReadAsync(string path)
    {
        using var input = new MemoryStream(await File.ReadAllBytesAsync(path));
        using var reader = BackupReader.Open(input, BackupStage.Opens);
        var records = new List<Record>();
        for (reader.Read(); reader.Part != BackupPart.End; reader.Read()) records.Add(new Record(reader.Part, reader.Content.ToArray()));
        return records;
    }

    private static byte[] Write(IEnumerable<Record> records)
    {
        using var output = new MemoryStream();
        using var seal = SealedChunks.ToHolderOf(BackupStage.To.Bytes.Span, SystemRandom.Instance)!;
        using var writer = new BackupWriter(output, seal);
        foreach (var record in records)
        {
            using var row = new RowWriter();
            record.Content.CopyTo(row.GetSpan(record.Content.Length));
            row.Advance(record.Content.Length);
            writer.Write(record.Part, row);
        }
        writer.End(0);
        return output.ToArray();
    }
}
