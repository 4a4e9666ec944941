using System.Globalization;

namespace Relay.Storage.Sqlite;

/// <summary>The tables, as a list of migrations. The schema version of a file is the number of migrations applied to it.</summary>
internal static class SqliteSchema
{
    /// <summary>"RLAY" in the file's header, which identifies a Relay database.</summary>
    public const uint ApplicationId = 0x524C_4159;

    /// <summary>The schema version of this program. A file with a higher version is refused.</summary>
    public static int Version => Migrations.Length;

    /// <summary>
    /// The migrations, oldest first; released ones never change. Sealed columns are unreadable without the key; ids are keyed hashes.
    /// `due` is the next deadline in Unix ms; `seen.version` and `outbox.sequence` are authenticated by the seal.
    /// </summary>
    private static readonly string[] Migrations =
    [
        """
        CREATE TABLE meta (
            name TEXT PRIMARY KEY,
            sealed BLOB NOT NULL
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE endpoint (
            id TEXT PRIMARY KEY,
            address BLOB NOT NULL UNIQUE,
            request BLOB NOT NULL UNIQUE,
            request_content BLOB NOT NULL,
            conversations INTEGER NOT NULL DEFAULT 0,
            sealed BLOB NOT NULL
        ) STRICT;

        CREATE TABLE conversation (
            endpoint TEXT NOT NULL,
            id TEXT NOT NULL,
            version INTEGER NOT NULL,
            updated INTEGER NOT NULL,
            due INTEGER,
            sealed BLOB NOT NULL,
            UNIQUE (endpoint, id)
        ) STRICT;
        CREATE INDEX conversation_due ON conversation (due) WHERE due IS NOT NULL;

        CREATE TABLE seen (
            endpoint TEXT NOT NULL,
            conversation TEXT NOT NULL,
            version INTEGER NOT NULL,
            sealed BLOB NOT NULL,
            PRIMARY KEY (endpoint, conversation, version)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE stream (
            endpoint TEXT NOT NULL,
            kind INTEGER NOT NULL,
            acknowledged INTEGER NOT NULL,
            last INTEGER NOT NULL,
            bytes INTEGER NOT NULL,
            PRIMARY KEY (endpoint, kind)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE outbox (
            endpoint TEXT NOT NULL,
            kind INTEGER NOT NULL,
            sequence INTEGER NOT NULL,
            sealed BLOB NOT NULL,
            PRIMARY KEY (endpoint, kind, sequence)
        ) STRICT, WITHOUT ROWID;
        """,
        // Apart from `conversation`, because it outlives a restore, which must not bring sessions back.
        """
        CREATE TABLE identities (
            endpoint TEXT NOT NULL,
            conversation TEXT NOT NULL,
            sealed BLOB NOT NULL,
            PRIMARY KEY (endpoint, conversation)
        ) STRICT, WITHOUT ROWID;
        """,
        // `change` counts the updates of all endpoints.
        """
        ALTER TABLE endpoint ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
        ALTER TABLE endpoint ADD COLUMN change INTEGER NOT NULL DEFAULT 0;
        CREATE INDEX endpoint_change ON endpoint (change) WHERE change > 0;
        """,
        // `purge` is the time at which the endpoint is to be purged, in Unix ms. The number of the last change is apart from the endpoints,
        // because the endpoint that changed last may be purged.
        """
        CREATE TABLE counter (
            name TEXT PRIMARY KEY,
            value INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        INSERT INTO counter (name, value) SELECT 'endpoint_change', coalesce(max(change), 0) FROM endpoint;
        ALTER TABLE endpoint ADD COLUMN purge INTEGER;
        CREATE INDEX endpoint_purge ON endpoint (purge) WHERE purge IS NOT NULL;
        """,
        """
        CREATE TABLE subscription (
            endpoint TEXT NOT NULL,
            name TEXT NOT NULL,
            part INTEGER NOT NULL,
            revision INTEGER NOT NULL,
            sealed BLOB NOT NULL,
            PRIMARY KEY (endpoint, name, part)
        ) STRICT;
        """,
        // `sequence` is authenticated by the seal.
        """
        CREATE TABLE audit (
            sequence INTEGER PRIMARY KEY,
            sealed BLOB NOT NULL
        ) STRICT;
        """,
        // The last sequence of the wire stream before the commit's rows: a message is carried once its last row is acknowledged.
        "ALTER TABLE seen ADD COLUMN wire INTEGER NOT NULL DEFAULT 0;",
        // The same for the conversation's last commit, whose ids are in its row.
        "ALTER TABLE conversation ADD COLUMN wire INTEGER NOT NULL DEFAULT 0;",
        // `sealed` is empty while the file is being deleted; `reserved` are bytes that count towards the bounds.
        """
        CREATE TABLE file (
            endpoint TEXT NOT NULL,
            id TEXT NOT NULL,
            conversation TEXT NOT NULL,
            revision INTEGER NOT NULL,
            expires INTEGER NOT NULL,
            reserved INTEGER NOT NULL,
            sealed BLOB NOT NULL,
            PRIMARY KEY (endpoint, id)
        ) STRICT;
        CREATE INDEX file_conversation ON file (endpoint, conversation, reserved);
        CREATE INDEX file_expires ON file (expires);

        CREATE TABLE file_portion (
            endpoint TEXT NOT NULL,
            file TEXT NOT NULL,
            number INTEGER NOT NULL,
            sealed BLOB NOT NULL,
            PRIMARY KEY (endpoint, file, number)
        ) STRICT;
        """,
    ];

    /// <summary>Marks an empty file as a Relay database and creates its tables.</summary>
    public static void Create(SqliteSession session)
    {
        session.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA application_id = {ApplicationId}"));
        Migrate(session);
    }

    /// <summary>Applies the missing migrations, each in one transaction with its version number.</summary>
    public static void Migrate(SqliteSession session)
    {
        for (int version = ReadVersion(session); version < Version; version++)
        {
            session.Execute("BEGIN IMMEDIATE");
            session.Script(Migrations[version]);
            session.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA user_version = {version + 1}"));
            session.Execute("COMMIT");
        }
    }

    public static int ReadVersion(SqliteSession session) => (int)(long)session.Scalar("PRAGMA user_version")!;
}
