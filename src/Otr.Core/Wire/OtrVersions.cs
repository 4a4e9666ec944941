namespace Otr.Core.Wire;

/// <summary>A set of protocol versions offered or allowed; version 1 is never spoken and has no place here.</summary>
[Flags]
internal enum OtrVersions
{
    None = 0,
    V2 = 0x02,
    V3 = 0x04,
    V4 = 0x08,
}

internal static class OtrVersionSet
{
    /// <summary>The versions that a policy allows.</summary>
    public static OtrVersions Allowed(OtrPolicy policy) =>
        (OtrVersions)(int)(policy & OtrPolicy.Manual) & (OtrVersions.V2 | OtrVersions.V3);

    /// <summary>The highest version in a set; 0 if it is empty.</summary>
    public static byte Highest(this OtrVersions versions)
    {
        if ((versions & OtrVersions.V4) != 0) return 4;
        if ((versions & OtrVersions.V3) != 0) return 3;
        return (versions & OtrVersions.V2) != 0 ? (byte)2 : (byte)0;
    }

    /// <summary>The versions of a set that are lower than this one.</summary>
    public static OtrVersions Below(this OtrVersions versions, int version) => versions & (OtrVersions)((1 << (version - 1)) - 1);

    /// <summary>The versions of a set that are this one or higher; of version 2, all: it is no worse than none.</summary>
    public static OtrVersions NotBelow(this OtrVersions versions, int version) =>
        version > 2 ? versions & ~(OtrVersions)((1 << (version - 1)) - 1) : versions;

    /// <summary>Whether the set has the version.</summary>
    public static bool Has(this OtrVersions versions, int version) => version switch
    {
        2 => (versions & OtrVersions.V2) != 0,
        3 => (versions & OtrVersions.V3) != 0,
        4 => (versions & OtrVersions.V4) != 0,
        _ => false,
    };
}
