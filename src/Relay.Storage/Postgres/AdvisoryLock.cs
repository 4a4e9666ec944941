namespace Relay.Storage.Postgres;

/// <summary>
/// The first of the two numbers of each advisory lock in PostgreSQL. All nodes of a cluster must agree on them, so they never change.
/// </summary>
internal enum AdvisoryLock
{
    /// <summary>Serialises schema migrations; the second number is 0.</summary>
    Migration = 0x524C_5901,
    /// <summary>A shard, by its number: shared for transactions of its owner, exclusive for a claim.</summary>
    Shard = 0x524C_5902,
    /// <summary>Serialises the creation of endpoints, so that their bound is exact; the second number is 0.</summary>
    Endpoints = 0x524C_5903,
    /// <summary>A node, by the slot of its row; its session holds the lock from before it joins the cluster until it exits.</summary>
    Node = 0x524C_5904,
    /// <summary>Serialises the founding of a cluster; the second number is 0.</summary>
    Founding = 0x524C_5905,
    /// <summary>
    /// The oldest sealing epoch that may be stored: shared for transactions that store values, exclusive for raising it; the second number is
    /// 0. `relay.admit_epoch` has the number too.
    /// </summary>
    Epochs = 0x524C_5906,
}
