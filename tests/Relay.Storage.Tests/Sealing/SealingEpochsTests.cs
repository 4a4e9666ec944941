using System.Security.Cryptography;
using System.Text;
using Relay.Storage.Sealing;

namespace Relay.Storage.Tests.Sealing;

public sealed class SealingEpochsTests : IDisposable
{
    private static readonly DateTimeOffset s_now = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);
    private readonly string _directory = Directory.CreateTempSubdirectory("relay-test-").FullName;
    private readonly SealingKey _key = new(Enumerable.Repeat((byte)0x42, 32).ToArray());
    private readonly RowKey _row = new("endpoint", "conversation", 7);

    private string FilePath => Path.Combine(_directory, "epoch.key");

    private EpochKeyFile Begin() => EpochKeyFile.Begin(FilePath, _key, RandomNumberGenerator.Fill, s_now);

    private Sealer Sealing(SealingEpochs epochs) => new(_key, RandomNumberGenerator.Fill, epochs);

    /// <summary>The derivation written out with HMAC (RFC 5869), and opened with AES-GCM as C2SP's XAES-256-GCM says.</summary>
    [Fact]
    public void Keys_follow_from_the_sealing_key_and_the_epochs_secret()
    {
        var secret = Enumerable.Range(0, 32).Select(i => (byte)i).ToArray();
        using var epochs = new SealingEpochs(_key, secret, 100, 102);
        using var sealer = Sealing(epochs);
        var value = sealer.Seal(SealedTable.Conversation, _row, "text"u8);
        Assert.Equal([2, 102, 0, 0, 0], value[..5]);

        var s102 = Hkdf(new byte[32], Hkdf(new byte[32], secret, "relay/v1/epoch/next"), "relay/v1/epoch/next");
        var e = Hkdf(new byte[32], Enumerable.Repeat((byte)0x42, 32).ToArray(), "relay/v1/epoch");
        using var cipher = new Xaes256Gcm(Hkdf(s102, e, "relay/v1/epoch/conversation"));
        var associated = new byte[] { 3, 0, 0, 0, 8 }.Concat("endpoint"u8.ToArray()).Concat(new byte[] { 0, 0, 0, 12 })
            .Concat("conversation"u8.ToArray()).Concat(new byte[] { 0, 0, 0, 0, 0, 0, 0, 7 }).ToArray();
        var clear = new byte[4];
        Assert.True(cipher.TryOpen(value.AsSpan(5, 24), value.AsSpan(29), associated, clear));
        Assert.Equal("text"u8, clear);
    }

    [Fact]
    public void A_destroyed_epoch_opens_with_nothing_that_is_left()
    {
        byte[] yesterday, today;
        using (var file = Begin())
        {
            using var sealer = Sealing(file.Epochs);
            uint first = file.Epochs.Current;
            yesterday = sealer.Seal(SealedTable.Conversation, _row, "yesterday"u8);
            file.Advance(first + 1, 5);
            today = sealer.Seal(SealedTable.Conversation, _row, "today"u8);
            Assert.Equal("yesterday"u8.ToArray(), sealer.TryOpen(SealedTable.Conversation, _row, yesterday));
            Assert.False(sealer.IsOfLostEpoch(yesterday));
            file.Destroy(first + 1);
            Assert.Null(sealer.TryOpen(SealedTable.Conversation, _row, yesterday));
            Assert.True(sealer.IsOfLostEpoch(yesterday));
            Assert.Equal("today"u8.ToArray(), sealer.TryOpen(SealedTable.Conversation, _row, today));
            Assert.False(file.Epochs.TryCopySecret(first, new byte[32]));
        }
        using var again = EpochKeyFile.TryOpen(FilePath, _key)!;
        using var reader = Sealing(again.Epochs);
        Assert.Null(reader.TryOpen(SealedTable.Conversation, _row, yesterday));
        Assert.Equal("today"u8.ToArray(), reader.TryOpen(SealedTable.Conversation, _row, today));
        Assert.Equal(5, again.Now.BegunMs);
    }

    /// <summary>Whoever claims that a value is of another epoch changes the key that it would have to open with.</summary>
    [Fact]
    public void The_number_in_a_value_is_no_way_around()
    {
        using var epochs = new SealingEpochs(_key, new byte[32], 100, 102);
        using var sealer = Sealing(epochs);
        var value = sealer.Seal(SealedTable.Conversation, _row, "text"u8);
        foreach (uint claimed in new uint[] { 0, 99, 100, 101, 103, 102 + SealingEpochs.MaxAhead, 103 + SealingEpochs.MaxAhead, uint.MaxValue })
        {
            BitConverter.TryWriteBytes(value.AsSpan(1), claimed);
            Assert.Null(sealer.TryOpen(SealedTable.Conversation, _row, value));
        }
        BitConverter.TryWriteBytes(value.AsSpan(1), 102u);
        Assert.NotNull(sealer.TryOpen(SealedTable.Conversation, _row, value));
        // Neither is another format, or a table that has no epochs.
        value[0] = 1;
        Assert.Null(sealer.TryOpen(SealedTable.Conversation, _row, value));
        value[0] = 2;
        Assert.Null(sealer.TryOpen(SealedTable.Identities, _row, value));
    }

    /// <summary>Another node may have begun the next epoch; the own one follows.</summary>
    [Fact]
    public void A_value_of_the_next_epoch_opens_before_the_own_one_advances()
    {
        using SealingEpochs ahead = new(_key, new byte[32], 100, 101), behind = new(_key, new byte[32], 100, 100);
        using Sealer writer = Sealing(ahead), reader = Sealing(behind);
        var value = writer.Seal(SealedTable.Outbox, _row, "text"u8);
        Assert.Equal("text"u8.ToArray(), reader.TryOpen(SealedTable.Outbox, _row, value));
        Assert.Equal(100u, reader.Epochs!.Current);
    }

    [Fact]
    public void What_outlives_the_epoch_key_is_sealed_under_the_sealing_key_alone()
    {
        using var epochs = new SealingEpochs(_key, new byte[32], 100, 100);
        using Sealer sealer = Sealing(epochs), without = new(_key, RandomNumberGenerator.Fill);
        foreach (var table in Enum.GetValues<SealedTable>())
        {
            var opened = without.TryOpen(table, _row, sealer.Seal(table, _row, "text"u8));
            Assert.Equal(table is SealedTable.Conversation or SealedTable.Seen or SealedTable.Outbox or SealedTable.Subscription
                or SealedTable.File or SealedTable.FilePortion, opened is null);
            // What was sealed before there were epochs opens.
            Assert.NotNull(sealer.TryOpen(table, _row, without.Seal(table, _row, "text"u8)));
        }
    }

    [Fact]
    public void The_file_of_another_key_or_a_damaged_one_is_refused()
    {
        Begin().Dispose();
        using var other = new SealingKey(new byte[32]);
        Assert.Contains("another sealing key", Assert.Throws<RelayStartException>(() => EpochKeyFile.TryOpen(FilePath, other)).Message, StringComparison.Ordinal);
        var written = File.ReadAllBytes(FilePath);
        for (int i = 0; i < written.Length - 1; i++)
        {
            var damaged = written.ToArray();
            damaged[i] ^= 1;
            File.WriteAllBytes(FilePath, damaged);
            Assert.Throws<RelayStartException>(() => EpochKeyFile.TryOpen(FilePath, _key));
            File.WriteAllBytes(FilePath, written[..i]);
            Assert.Throws<RelayStartException>(() => EpochKeyFile.TryOpen(FilePath, _key));
        }
        File.WriteAllBytes(FilePath, written);
        EpochKeyFile.TryOpen(FilePath, _key)!.Dispose();
        Assert.Null(EpochKeyFile.TryOpen(FilePath + "2", _key));
        if (OperatingSystem.IsWindows()) return;
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(FilePath));
        File.SetUnixFileMode(FilePath, UnixFileMode.UserRead | UnixFileMode.GroupRead);
        Assert.Contains("chmod 600", Assert.Throws<RelayStartException>(() => EpochKeyFile.TryOpen(FilePath, _key)).Message, StringComparison.Ordinal);
    }

    /// <summary>The old file's blocks do not keep the secret: a second name for it shows what is in them.</summary>
    [Fact]
    public void The_secret_before_is_overwritten_when_its_epoch_is_destroyed()
    {
        if (OperatingSystem.IsWindows()) return;
        using var file = Begin();
        var link = FilePath + ".link";
        using (var process = System.Diagnostics.Process.Start("ln", [FilePath, link])) process.WaitForExit();
        Assert.StartsWith("relay-epoch-key-v1 ", File.ReadAllText(link), StringComparison.Ordinal);
        file.Advance(file.Now.Current + 1, 0);
        Assert.All(File.ReadAllBytes(link), b => Assert.Equal(0, b));
        File.Delete(link);
        using (var process = System.Diagnostics.Process.Start("ln", [FilePath, link])) process.WaitForExit();
        file.Destroy(file.Now.Current);
        Assert.All(File.ReadAllBytes(link), b => Assert.Equal(0, b));
        Assert.Equal(file.Now.Current, file.Now.Floor);
    }

    /// <summary>A process that ended between writing the new file and renaming it leaves a secret in a file that nobody reads.</summary>
    [Fact]
    public void A_file_that_was_never_renamed_is_overwritten_too()
    {
        if (OperatingSystem.IsWindows()) return;
        using var file = Begin();
        var (left, link) = (FilePath + ".new", FilePath + ".link");
        File.Copy(FilePath, left);
        using (var process = System.Diagnostics.Process.Start("ln", [left, link])) process.WaitForExit();
        file.Advance(file.Now.Current + 1, 0);
        Assert.All(File.ReadAllBytes(link), b => Assert.Equal(0, b));
        Assert.False(File.Exists(left));
    }

    /// <summary>A chain that was lost is followed by one with higher numbers, so that its rows are known to be lost.</summary>
    [Fact]
    public void A_new_chain_has_numbers_that_the_lost_one_never_reached()
    {
        using var lost = Begin();
        using var sealer = Sealing(lost.Epochs);
        for (int i = 0; i < 60; i++) lost.Advance(lost.Now.Current + 1, 0);
        var value = sealer.Seal(SealedTable.Conversation, _row, "text"u8);
        File.Delete(FilePath);
        using var next = EpochKeyFile.Begin(FilePath, _key, RandomNumberGenerator.Fill, s_now.AddMinutes(61));
        using var reader = Sealing(next.Epochs);
        Assert.True(reader.IsOfLostEpoch(value));
    }

    private static byte[] Hkdf(byte[] salt, byte[] input, string info)
        => HMACSHA256.HashData(HMACSHA256.HashData(salt, input), Encoding.ASCII.GetBytes(info).Append((byte)1).ToArray());

    public void Dispose()
    {
        _key.Dispose();
        Directory.Delete(_directory, recursive: true);
    }
}
