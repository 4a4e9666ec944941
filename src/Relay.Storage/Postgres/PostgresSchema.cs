namespace Relay.Storage.Postgres;

/// <summary>The tables, as a list of migrations: the schema's version is how many of them were applied.</summary>
internal static class PostgresSchema
{
    /// <summary>The schema that everything lies in.</summary>
    public const string Name = "relay";

    /// <summary>What tells a schema that Relay made from one that somebody else did.</summary>
    public const string Product = "Relay, a server for Off-the-Record conversations";

    /// <summary>SQLSTATE of `relay.must_be`: a row is not as it was read.</summary>
    public const string ChangedSinceRead = "RLY01";

    /// <summary>Of this program. A database with a higher one is refused.</summary>
    public static int Version => Migrations.Length;

    /// <summary>
    /// Only ever appended to. Ids are keyed hashes and compared byte by byte (COLLATE "C"). Sealed columns say nothing without the key, cannot be
    /// compressed (STORAGE EXTERNAL), and stay in their row while two of them fit a page. `due` is the next deadline in
    /// Unix ms, which moves with every message; only its minute is indexed, so that a busy conversation's row is mostly changed
    /// without its indexes (a HOT update). Versions and sequences are part of what is sealed. What is changed in place has room for it on its page
    /// (fillfactor); a lane's row holds the number of its last transaction, by which it finds out whether one was done; what is deleted soon after it was written is vacuumed by count, not by share of a table.
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
        ) WITH (toast_tuple_target = 4064, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 1);
        ALTER TABLE relay.seen ALTER COLUMN sealed SET STORAGE EXTERNAL;

        CREATE TABLE relay.outbox (
            endpoint text COLLATE "C" NOT NULL,
            kind smallint NOT NULL,
            sequence bigint NOT NULL,
            sealed bytea NOT NULL,
            PRIMARY KEY (endpoint, kind, sequence)
        ) WITH (toast_tuple_target = 4064, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 1);
        ALTER TABLE relay.outbox ALTER COLUMN sealed SET STORAGE EXTERNAL;

        CREATE FUNCTION relay.must_be(actual bigint, expected bigint) RETURNS void LANGUAGE plpgsql AS $$
        BEGIN
            IF actual <> expected THEN
                RAISE EXCEPTION 'changed since it was read' USING ERRCODE = 'RLY01';
            END IF;
        END $$;
        """,
        // `slot` is what the node's session lock is taken by; `incarnation` tells the processes that used an address one
        // after the other apart;
        // `server_start` says in which run of the server the lock was taken: a restarted server has released the locks of all nodes.
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
    ];
}
