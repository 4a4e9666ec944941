namespace Relay.Storage.Postgres;

/// <summary>What PostgreSQL's advisory locks stand for: the first of their two numbers. Constants of the database, never changed.</summary>
internal enum AdvisoryLock
{
    /// <summary>The schema's making; the second number is 0.</summary>
    Migration = 0x524C_5901,
    /// <summary>A shard, by its number: shared by transactions of its owner, exclusive for a claim.</summary>
    Shard = 0x524C_5902,
    /// <summary>The making of endpoints, so that their number is exact.</summary>
    Endpoints = 0x524C_5903,
    /// <summary>A node, by the slot of its row: held by its session from before it joins the cluster until it exits.</summary>
    Node = 0x524C_5904,
    /// <summary>The founding of a cluster; the second number is 0.</summary>
    Founding = 0x524C_5905,
}
