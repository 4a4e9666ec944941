using Microsoft.Data.Sqlite;
using Otr.Core;
using Relay.Actors.Tests.Harness;
using Relay.Storage;

namespace Relay.Actors.Tests;

/// <summary>When Relay refuses to start: it says which file and what to do, and changes nothing.</summary>
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public class StartTests
{
    /// <summary>A directory with an endpoint and a conversation, closed.</summary>
    private static async Task<TestRelay> ClosedAsync()
    {
        var relay = await TestRelay.StartAsync();
        Assert.IsType<Reply.Done>(await relay.SendAsync("r1", "held"));
        await relay.CloseAsync();
        return relay;
    }

    private static Dictionary<string, byte[]> Files(TestRelay relay) => Directory.GetFiles(relay.Directory).Where(f => Path.GetFileName(f) is not ("lock" or "pid")).ToDictionary(f => f, File.ReadAllBytes);

    private static async Task<string> RefusedAsync(TestRelay relay)
    {
        var before = Files(relay);
        var refusal = await Assert.ThrowsAsync<RelayStartException>(relay.OpenAsync);
        // The files that were there are as they were. (Looking into a log may leave an empty one and its index.)
        foreach (var (file, bytes) in before) Assert.Equal(bytes, File.ReadAllBytes(file));
        foreach (var file in Files(relay).Where(f => !before.ContainsKey(f.Key))) Assert.True(file.Key.EndsWith("-shm", StringComparison.Ordinal) || file.Value.Length == 0, file.Key);
        Assert.Contains(relay.Directory, refusal.Message, StringComparison.Ordinal);
        return refusal.Message;
    }

    [Fact]
    public async Task A_new_directory_is_private()
    {
        await using var relay = await ClosedAsync();
        foreach (var file in Files(relay).Keys) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        var made = Path.Combine(relay.Directory, "made", "deeper");
        await (await EmbeddedRelay.OpenAsync(new EmbeddedRelayOptions(made), relay.Loggers, TimeProvider.System, SystemRandom.Instance, default)).DisposeAsync();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(made));
    }

    [Fact]
    public async Task A_second_server_on_the_directory_refuses_and_names_the_first()
    {
        await using var relay = await TestRelay.StartAsync();
        await using var second = new TestRelay();
        var refusal = await Assert.ThrowsAsync<RelayStartException>(() => EmbeddedRelay.OpenAsync(new EmbeddedRelayOptions(relay.Directory), relay.Loggers, TimeProvider.System, SystemRandom.Instance, default));
        Assert.Contains(relay.Directory, refusal.Message, StringComparison.Ordinal);
        Assert.Contains($"process {Environment.ProcessId}", refusal.Message, StringComparison.Ordinal);
        Assert.IsType<Reply.Done>(await relay.SendAsync("r1", "the first goes on"));
        await relay.ReopenAsync();
    }

    [Fact]
    public async Task The_wrong_sealing_key()
    {
        await using var relay = await ClosedAsync();
        await using var other = await ClosedAsync();
        var right = Path.Combine(relay.Directory, "right");
        File.Move(Path.Combine(relay.Directory, "sealing.key"), right);
        File.Copy(Path.Combine(other.Directory, "sealing.key"), Path.Combine(relay.Directory, "sealing.key"));
        Assert.Contains("is not the key", await RefusedAsync(relay), StringComparison.Ordinal);
        File.Move(right, Path.Combine(relay.Directory, "sealing.key"), overwrite: true);
        await relay.OpenAsync();
        Assert.Single(await relay.Relay.ListConversationsAsync(TestRelay.Endpoint, null, 10, default));
    }

    [Fact]
    public async Task A_missing_sealing_key_is_not_made_anew()
    {
        await using var relay = await ClosedAsync();
        File.Delete(Path.Combine(relay.Directory, "sealing.key"));
        Assert.Contains("is missing", await RefusedAsync(relay), StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(relay.Directory, "sealing.key")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("relay-sealing-key-v1 short\n")]
    [InlineData("relay-sealing-key-v1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=AAAA\n")]
    [InlineData("another-file-altogether AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")]
    public async Task A_file_that_is_no_sealing_key(string text)
    {
        await using var relay = await ClosedAsync();
        File.WriteAllText(Path.Combine(relay.Directory, "sealing.key"), text);
        Assert.Contains("is not a Relay sealing key", await RefusedAsync(relay), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sealing_key_that_others_may_read()
    {
        await using var relay = await ClosedAsync();
        File.SetUnixFileMode(Path.Combine(relay.Directory, "sealing.key"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        Assert.Contains("chmod 600", await RefusedAsync(relay), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_of_another_program()
    {
        await using var relay = new TestRelay();
        using (var connection = new SqliteConnection($"Data Source={relay.Database};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1); PRAGMA user_version = 1";
            command.ExecuteNonQuery();
        }
        await File.WriteAllTextAsync(Path.Combine(relay.Directory, "sealing.key"), "relay-sealing-key-v1 " + Convert.ToBase64String(new byte[32]) + "\n");
        File.SetUnixFileMode(Path.Combine(relay.Directory, "sealing.key"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Assert.Contains("another program", await RefusedAsync(relay), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_newer_schema()
    {
        await using var relay = await ClosedAsync();
        using (var connection = new SqliteConnection($"Data Source={relay.Database};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "PRAGMA user_version = 1000";
            command.ExecuteNonQuery();
        }
        Assert.Contains("schema version 1000", await RefusedAsync(relay), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 16)]
    [InlineData(4096, 4096)]
    [InlineData(-4096, 4096)]
    [InlineData(4096, int.MaxValue)]
    public async Task A_damaged_database(int from, int length)
    {
        await using var relay = await ClosedAsync();
        var bytes = await File.ReadAllBytesAsync(relay.Database);
        if (from < 0) from += bytes.Length;
        bytes.AsSpan(from, Math.Min(length, bytes.Length - from)).Fill(0xEE);
        await File.WriteAllBytesAsync(relay.Database, bytes);
        Assert.Contains("damaged", await RefusedAsync(relay), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_truncated_database()
    {
        await using var relay = await ClosedAsync();
        await File.WriteAllBytesAsync(relay.Database, (await File.ReadAllBytesAsync(relay.Database))[..6000]);
        Assert.Contains("damaged", await RefusedAsync(relay), StringComparison.Ordinal);
        await File.WriteAllBytesAsync(relay.Database, []);
        Assert.Contains("damaged", await RefusedAsync(relay), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_log_without_its_database_is_not_played_into_a_new_one()
    {
        await using var relay = new TestRelay();
        await File.WriteAllBytesAsync(relay.Database + "-wal", [1]);
        Assert.Contains("-wal", await RefusedAsync(relay), StringComparison.Ordinal);
    }
}
