using System.Buffers;
using System.Globalization;

namespace Otr.Core.Tests.Keys;

/// <summary>Files that the real libotr wrote are read, and files of ours are read by it.</summary>
public sealed class LibotrFileInteropTests : IDisposable
{
    private const string Keys = "otr.private_key", Fingerprints = "otr.fingerprints", Tags = "otr.instance_tags";
    private static readonly byte[] Signed = Enumerable.Repeat((byte)0x5A, 32).ToArray();

    private readonly string _theirs = Directory.CreateTempSubdirectory("libotr-files-").FullName;
    private readonly string _ours = Directory.CreateTempSubdirectory("libotr-files-").FullName;

    public void Dispose()
    {
        Directory.Delete(_theirs, true);
        Directory.Delete(_ours, true);
    }

    [Fact]
    public void We_read_what_libotr_wrote()
    {
        Assert.SkipWhen(LibotrFiles.Missing is not null, LibotrFiles.Missing ?? "");
        var said = LibotrFiles.Run("write", _theirs);
        var (keys, fingerprints, tags) = ReadAll(_theirs);
        Assert.Equal(4, keys.Count);
        Assert.Equal(4, fingerprints.Count);
        Assert.Equal(2, tags.Count);
        AssertSame(said, keys, fingerprints, tags);
        foreach (var key in keys) key.Dispose();
    }

    [Fact]
    public void Libotr_reads_what_we_wrote()
    {
        Assert.SkipWhen(LibotrFiles.Missing is not null, LibotrFiles.Missing ?? "");
        LibotrFiles.Run("write", _theirs);
        var (keys, fingerprints, tags) = ReadAll(_theirs);
        Write(Keys, b => LibotrPrivateKeyFile.Write(keys, b));
        Write(Fingerprints, b => LibotrFingerprintFile.Write(fingerprints, b));
        Write(Tags, b => LibotrInstanceTagFile.Write(tags, b));
        var said = LibotrFiles.Run("read", _ours);
        Assert.Equal(10, said.Length);
        AssertSame(said, keys, fingerprints, tags);
        foreach (var key in keys) key.Dispose();
    }

    [Fact]
    public void Libotr_signs_with_a_key_that_we_made()
    {
        Assert.SkipWhen(LibotrFiles.Missing is not null, LibotrFiles.Missing ?? "");
        using var made = new LibotrAccountKey("ours", "prpl-jabber", DsaPrivateKey.Generate(SystemRandom.Instance));
        Write(Keys, b => LibotrPrivateKeyFile.Write([made], b));
        Write(Fingerprints, _ => { });
        Write(Tags, _ => { });
        var line = Assert.Single(LibotrFiles.Run("read", _ours));
        Assert.Equal(made.Key.PublicKey.Fingerprint.ToHex(), line[3]);
        Assert.True(made.Key.PublicKey.Verify(Signed, Convert.FromHexString(line[4])));
    }

    private static void AssertSame(string[][] said, IReadOnlyList<LibotrAccountKey> keys, IReadOnlyList<LibotrFingerprint> fingerprints, IReadOnlyList<LibotrInstanceTag> tags)
    {
        Assert.Equal(
            said.Where(l => l[0] == "key").Select(l => (l[1], l[2], l[3])).Order(),
            keys.Select(k => (k.AccountName, k.Protocol, k.Key.PublicKey.Fingerprint.ToHex())).Order());
        foreach (var line in said.Where(l => l[0] == "key"))
            Assert.True(LibotrPrivateKeyFile.Find(keys, line[1], line[2])!.Key.PublicKey.Verify(Signed, Convert.FromHexString(line[4])));
        Assert.Equal(
            said.Where(l => l[0] == "fingerprint").Select(l => (l[1], l[2], l[3], l[4], l[5])).Order(),
            fingerprints.Select(f => (f.Username, f.AccountName, f.Protocol, f.Fingerprint.ToHex(), f.Trust.Label)).Order());
        Assert.Equal(
            said.Where(l => l[0] == "tag").Select(l => (l[1], l[2], uint.Parse(l[3], NumberStyles.HexNumber, CultureInfo.InvariantCulture))).Order(),
            tags.Select(t => (t.AccountName, t.Protocol, t.Tag)).Order());
    }

    private static (IReadOnlyList<LibotrAccountKey>, IReadOnlyList<LibotrFingerprint>, IReadOnlyList<LibotrInstanceTag>) ReadAll(string directory)
    {
        Assert.True(LibotrPrivateKeyFile.TryParse(File.ReadAllBytes(Path.Combine(directory, Keys)), out var keys, out var problem), problem);
        Assert.True(LibotrFingerprintFile.TryParse(File.ReadAllBytes(Path.Combine(directory, Fingerprints)), out var fingerprints, out problem), problem);
        Assert.True(LibotrInstanceTagFile.TryParse(File.ReadAllBytes(Path.Combine(directory, Tags)), out var tags, out var passedOver, out problem), problem);
        Assert.Empty(passedOver);
        return (keys, fingerprints, tags);
    }

    private void Write(string name, Action<ArrayBufferWriter<byte>> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        write(buffer);
        File.WriteAllBytes(Path.Combine(_ours, name), buffer.WrittenSpan);
    }
}
