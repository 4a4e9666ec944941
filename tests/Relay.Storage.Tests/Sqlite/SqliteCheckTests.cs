using System.Security.Cryptography;
using Microsoft.Data.Sqlite;
using Relay.Storage.Sealing;
using Relay.Storage.Sqlite;

namespace Relay.Storage.Tests.Sqlite;

/// <summary>The bounds of `relay doctor` on a large database.</summary>
public sealed class SqliteCheckTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("relay-check-").FullName;
    private readonly SealingKey _key = new(new byte[SealingKey.Size]);

    private string Database => Path.Combine(_directory, "relay.db");

    public void Dispose()
    {
        _key.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Theory]
    [InlineData(StorageLimits.DoctorCheckRows, StorageLimits.DoctorCheckRows)]
    [InlineData(2 * StorageLimits.DoctorCheckRows + 1, 6667)]
    public void Of_many_conversations_a_sample_is_opened_from_all_over_the_table(int rows, int read)
    {
        Fill(rows);
        var table = Assert.Single(SqliteCheck.Run(Database, _key, null, RandomNumberGenerator.Fill, isServed: false).Tables, t => t.Name == "conversation");
        Assert.Equal(new CheckedTable("conversation", rows, read, 0), table);
        // The newest third is damaged.
        Sql($"UPDATE conversation SET version = 2 WHERE rowid > {rows - rows / 3}");
        table = Assert.Single(SqliteCheck.Run(Database, _key, null, RandomNumberGenerator.Fill, isServed: false).Tables, t => t.Name == "conversation");
        Assert.InRange(table.Unreadable, read / 3 - 1, read / 3 + 1);
    }

    [Fact]
    public void The_longest_stream_is_told_and_a_newer_schema_refused()
    {
        Fill(1);
        Sql("INSERT INTO stream (endpoint, kind, acknowledged, last, bytes) VALUES ('e', 1, 10, 17, 0), ('e', 2, 3, 5, 0)");
        Assert.Equal(7, SqliteCheck.Run(Database, _key, null, RandomNumberGenerator.Fill, isServed: false).LongestStream);
        Sql("PRAGMA user_version = 999");
        Assert.Throws<RelayStartException>(() => SqliteCheck.Run(Database, _key, null, RandomNumberGenerator.Fill, isServed: false));
    }

    [Fact]
    public void A_missing_table_is_damage()
    {
        Fill(1);
        Sql("DROP TABLE outbox");
        Assert.Contains(SqliteCheck.Run(Database, _key, null, RandomNumberGenerator.Fill, isServed: false).Damage, d => d.Contains("undelivered", StringComparison.Ordinal));
    }

    /// <summary>Creates a database with conversations.</summary>
    private void Fill(int conversations)
    {
        SqliteFile.Create(Database);
        using var sealer = new Sealer(_key, RandomNumberGenerator.Fill);
        using var connection = Open();
        using var transaction = connection.BeginTransaction();
        using var command = connection.CreateCommand();
        command.CommandText = "INSERT INTO meta (name, sealed) VALUES ('identity', $1)";
        command.Parameters.AddWithValue("$1", StoreIdentity.Make(sealer, RandomNumberGenerator.Fill));
        command.ExecuteNonQuery();
        command.CommandText = "INSERT INTO conversation (endpoint, id, version, updated, sealed) VALUES ('e', $2, 1, 0, $1)";
        for (int i = 0; i < conversations; i++)
        {
            command.Parameters.Clear();
            command.Parameters.AddWithValue("$1", sealer.Seal(SealedTable.Conversation, new RowKey("e", $"c{i}", 1), [1, 2, 3]));
            command.Parameters.AddWithValue("$2", $"c{i}");
            command.ExecuteNonQuery();
        }
        transaction.Commit();
    }

    private void Sql(string sql)
    {
        using var connection = Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private SqliteConnection Open()
    {
        var connection = new SqliteConnection($"Data Source={Database};Pooling=False");
        connection.Open();
        return connection;
    }
}
