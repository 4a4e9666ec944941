namespace Relay.Storage.Postgres;

/// <summary>The tables, as a list of migrations. The schema version of a database is the number of migrations applied to it.</summary>
internal static class PostgresSchema
{
    /// <summary>The schema of all tables.</summary>
    public const string Name = "relay";

    /// <summary>Stored in the schema to identify it as Relay's.</summary>
    public const string Product = "Relay, a server for Off-the-Record conversations";

    /// <summary>SQLSTATE that `relay.must_be` raises: a row has changed since it was read.</summary>
    public const string ChangedSinceRead = "RLY01";

    /// <summary>SQLSTATE that `relay.admit_epoch` raises: a value is of a sealing epoch that has ended.</summary>
    public const string EpochHasEnded = "RLY02";

    /// <summary>The schema version of this program. A database with a higher version is refused.</summary>
    public static int Version => Migrations.Length;

    /// <summary>
    /// The migrations, oldest first; released ones never change. Ids are keyed hashes and are compared byte by byte (COLLATE "C").
    /// Sealed columns are unreadable without the key, cannot be compressed (STORAGE EXTERNAL) and stay in their row while two rows fit a
    /// page (toast_tuple_target). `due` is the next deadline in Unix ms and changes with every message; only its minute is indexed, so
    /// that most updates of a busy conversation change no index (HOT updates). Versions and sequences are authenticated by the seal.
    /// Tables that are updated in place reserve space on each page (fillfactor). A lane's row holds the number of its last committed
    /// transaction. Tables whose rows are deleted soon after they were written are vacuumed after a number of changed rows, not a
    /// fraction of the table.
    /// </summary>
    public static readonly string[] Migrations =
    [
        """
        CREATE TABLE relay.meta (
            name text COLLATE "C" PRIMARY KEY,
            sealed bytea NOT NULL
        );

        CREATE TABLE relay.document (
            name text COLLATE "C" PRIMARY KEY,
            version bigint NOT NULL CHECK (version > 0),
            sealed bytea NOT NULL
        );

        CREATE TABLE relay.shard (
            id integer PRIMARY KEY,
            epoch bigint NOT NULL CHECK (epoch > 0),
            node uuid NOT NULL,
            claimed timestamptz NOT NULL
        ) WITH (fillfactor = 50);

        CREATE TABLE relay.lane (
            id uuid PRIMARY KEY,
            number bigint NOT NULL,
            used timestamptz NOT NULL
        ) WITH (fillfactor = 50);

        CREATE TABLE relay.endpoint (
            id text COLLATE "C" PRIMARY KEY,
            address bytea NOT NULL UNIQUE,
            request bytea NOT NULL UNIQUE,
            request_content bytea NOT NULL,
            sealed bytea NOT NULL
        );
        ALTER TABLE relay.endpoint ALTER COLUMN sealed SET STORAGE EXTERNAL;

        CREATE TABLE relay.endpoint_size (
            endpoint text COLLATE "C" PRIMARY KEY,
            conversations bigint NOT NULL CHECK (conversations >= 0)
        ) WITH (fillfactor = 50);

        CREATE TABLE relay.stream (
            endpoint text COLLATE "C" NOT NULL,
            kind smallint NOT NULL,
            acknowledged bigint NOT NULL CHECK (acknowledged >= 0),
            last bigint NOT NULL CHECK (last >= acknowledged),
            bytes bigint NOT NULL CHECK (bytes >= 0),
            PRIMARY KEY (endpoint, kind)
        ) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

        CREATE TABLE relay.conversation (
            endpoint text COLLATE "C" NOT NULL,
            id text COLLATE "C" NOT NULL,
            version bigint NOT NULL CHECK (version > 0),
            updated bigint NOT NULL,
            due bigint,
            due_minute bigint GENERATED ALWAYS AS (due / 60000) STORED,
            sealed bytea NOT NULL,
            PRIMARY KEY (endpoint, id)
        ) WITH (fillfactor = 85, toast_tuple_target = 4064, autovacuum_vacuum_scale_factor = 0.05);
        ALTER TABLE relay.conversation ALTER COLUMN sealed SET STORAGE EXTERNAL;
        CREATE INDEX conversation_due ON relay.conversation (due_minute) WHERE due_minute IS NOT NULL;

        CREATE TABLE relay.seen (
            endpoint text COLLATE "C" NOT NULL,
            conversation text COLLATE "C" NOT NULL,
            version bigint NOT NULL,
            sealed bytea NOT NULL,
            PRIMARY KEY (endpoint, conversation, version)
        ) WITH (toast_tuple_target = 4064, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 20000,
            autovacuum_vacuum_cost_delay = 1);
        ALTER TABLE relay.seen ALTER COLUMN sealed SET STORAGE EXTERNAL;

        CREATE TABLE relay.outbox (
            endpoint text COLLATE "C" NOT NULL,
            kind smallint NOT NULL,
            sequence bigint NOT NULL,
            sealed bytea NOT NULL,
            PRIMARY KEY (endpoint, kind, sequence)
        ) WITH (toast_tuple_target = 4064, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
            autovacuum_vacuum_cost_delay = 1);
        ALTER TABLE relay.outbox ALTER COLUMN sealed SET STORAGE EXTERNAL;

        CREATE FUNCTION relay.must_be(actual bigint, expected bigint) RETURNS void LANGUAGE plpgsql AS $$
        BEGIN
            IF actual <> expected THEN
                RAISE EXCEPTION 'changed since it was read' USING ERRCODE = 'RLY01';
            END IF;
        END $$;
        """,
        // `slot` is the second number of the node's session lock; `incarnation` distinguishes successive processes at one address;
        // `server_start` is the start time of the server when the lock was taken: a restarted server has released the locks of all nodes.
        """
        CREATE TABLE relay.cluster_node (
            address text COLLATE "C" PRIMARY KEY,
            slot integer GENERATED ALWAYS AS IDENTITY UNIQUE,
            incarnation bigint NOT NULL DEFAULT 0,
            version text NOT NULL DEFAULT '',
            state smallint NOT NULL DEFAULT 1,
            server_start timestamptz NOT NULL DEFAULT pg_postmaster_start_time(),
            registered timestamptz NOT NULL DEFAULT clock_timestamp()
        ) WITH (fillfactor = 50);
        """,
        // Apart from `conversation`, because it outlives a restore, which must not bring sessions back.
        """
        CREATE TABLE relay.identities (
            endpoint text COLLATE "C" NOT NULL,
            conversation text COLLATE "C" NOT NULL,
            sealed bytea NOT NULL,
            PRIMARY KEY (endpoint, conversation)
        ) WITH (toast_tuple_target = 4064);
        ALTER TABLE relay.identities ALTER COLUMN sealed SET STORAGE EXTERNAL;
        """,
        // `change` counts the updates of all endpoints, in the order of their commits.
        """
        ALTER TABLE relay.endpoint ADD COLUMN revision bigint NOT NULL DEFAULT 1 CHECK (revision > 0);
        ALTER TABLE relay.endpoint ADD COLUMN change bigint NOT NULL DEFAULT 0 CHECK (change >= 0);
        CREATE INDEX endpoint_change ON relay.endpoint (change) WHERE change > 0;
        """,
        // `purge` is the time at which the endpoint is to be purged, in Unix ms. The number of the last change is apart from the endpoints,
        // because the endpoint that changed last may be purged.
        """
        CREATE TABLE relay.counter (
            name text COLLATE "C" PRIMARY KEY,
            value bigint NOT NULL CHECK (value >= 0)
        ) WITH (fillfactor = 50);
        INSERT INTO relay.counter (name, value) SELECT 'endpoint_change', coalesce(max(change), 0) FROM relay.endpoint;
        ALTER TABLE relay.endpoint ADD COLUMN purge bigint;
        CREATE INDEX endpoint_purge ON relay.endpoint (purge) WHERE purge IS NOT NULL;
        """,
        """
        CREATE TABLE relay.subscription (
            endpoint text COLLATE "C" NOT NULL,
            name text COLLATE "C" NOT NULL,
            part smallint NOT NULL,
            revision bigint NOT NULL CHECK (revision > 0),
            sealed bytea NOT NULL,
            PRIMARY KEY (endpoint, name, part)
        ) WITH (fillfactor = 50);
        ALTER TABLE relay.subscription ALTER COLUMN sealed SET STORAGE EXTERNAL;
        """,
        // `sequence` is authenticated by the seal.
        """
        CREATE TABLE relay.audit (
            sequence bigint PRIMARY KEY CHECK (sequence > 0),
            sealed bytea NOT NULL
        );
        ALTER TABLE relay.audit ALTER COLUMN sealed SET STORAGE EXTERNAL;
        """,
        // The last sequence of the wire stream before the commit's rows: a message is carried once its last row is acknowledged.
        "ALTER TABLE relay.seen ADD COLUMN wire bigint NOT NULL DEFAULT 0 CHECK (wire >= 0);",
        // The same for the conversation's last commit, whose ids are in its row. The row changes its length with every commit, so a page
        // keeps more room for the next version.
        """
        ALTER TABLE relay.conversation ADD COLUMN wire bigint NOT NULL DEFAULT 0 CHECK (wire >= 0);
        ALTER TABLE relay.conversation SET (fillfactor = 50);
        """,
        // `sealed` is empty while the file is being deleted; `reserved` are bytes that count towards the bounds.
        """
        CREATE TABLE relay.file (
            endpoint text COLLATE "C" NOT NULL,
            id text COLLATE "C" NOT NULL,
            conversation text COLLATE "C" NOT NULL,
            revision bigint NOT NULL CHECK (revision > 0),
            expires bigint NOT NULL,
            reserved bigint NOT NULL CHECK (reserved >= 0),
            sealed bytea NOT NULL,
            PRIMARY KEY (endpoint, id)
        );
        ALTER TABLE relay.file ALTER COLUMN sealed SET STORAGE EXTERNAL;
        CREATE INDEX file_conversation ON relay.file (endpoint, conversation, reserved);
        CREATE INDEX file_expires ON relay.file (expires);

        CREATE TABLE relay.file_portion (
            endpoint text COLLATE "C" NOT NULL,
            file text COLLATE "C" NOT NULL,
            number bigint NOT NULL CHECK (number >= 0),
            sealed bytea NOT NULL,
            PRIMARY KEY (endpoint, file, number)
        );
        ALTER TABLE relay.file_portion ALTER COLUMN sealed SET STORAGE EXTERNAL;
        """,
        // The counter `sealing_epoch` is the oldest sealing epoch of which values may still be stored. The lock, which has the number of
        // AdvisoryLock.Epochs, is held to the transaction's end: whoever raises the counter waits for those that were admitted.
        """
        CREATE FUNCTION relay.admit_epoch(epoch bigint) RETURNS void LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_catalog.pg_advisory_xact_lock_shared(1380735238, 0);
            IF (SELECT value FROM relay.counter WHERE name = 'sealing_epoch') > epoch THEN
                RAISE EXCEPTION 'sealed in an epoch that has ended' USING ERRCODE = 'RLY02';
            END IF;
        END $$;
        """,
    ];
}
