namespace Otr.Core.Wire;

/// <summary>A set of protocol versions offered or allowed; version 1 is never spoken and has no place here.</summary>
[Flags]
internal enum OtrVersions
{
    None = 0,
    V2 = 0x02,
    V3 = 0x04,
}

internal static class OtrVersionSet
{
    /// <summary>The versions that a policy allows.</summary>
    public static OtrVersions Allowed(OtrPolicy policy) => (OtrVersions)(int)(policy & OtrPolicy.Manual) & (OtrVersions.V2 | OtrVersions.V3);

    /// <summary>The highest version in a set; 0 if it is empty.</summary>
    public static byte Highest(this OtrVersions versions) =>
        (versions & OtrVersions.V3) != 0 ? (byte)3 : (versions & OtrVersions.V2) != 0 ? (byte)2 : (byte)0;

    /// <summary>Whether the set has the version.</summary>
    public static bool Has(this OtrVersions versions, int version) => version switch
    {
        2 => (versions & OtrVersions.V2) != 0,
        3 => (versions & OtrVersions.V3) != 0,
        _ => false,
    };
}
