namespace Otr.Core;

/// <summary>What a conversation allows and does on its own (spec v3, "Policies"; values of libotr 4).</summary>
[Flags]
public enum OtrPolicy
{
    /// <summary>OTR is off: everything passes through.</summary>
    Never = 0,
    /// <summary>Version 2 may be spoken.</summary>
    AllowV2 = 0x02,
    /// <summary>Version 3 may be spoken.</summary>
    AllowV3 = 0x04,
    /// <summary>Text never leaves outside a private session.</summary>
    RequireEncryption = 0x08,
    /// <summary>Ordinary text carries a whitespace tag until the peer answers in the clear.</summary>
    SendWhitespaceTag = 0x10,
    /// <summary>A received whitespace tag starts a key exchange.</summary>
    WhitespaceStartAke = 0x20,
    /// <summary>A received OTR error sends a query.</summary>
    ErrorStartAke = 0x40,
    /// <summary>libotr's "manual": versions 2 and 3.</summary>
    Manual = AllowV2 | AllowV3,
    /// <summary>libotr's "opportunistic".</summary>
    Opportunistic = Manual | SendWhitespaceTag | WhitespaceStartAke | ErrorStartAke,
    /// <summary>libotr's "always".</summary>
    Always = Manual | RequireEncryption | WhitespaceStartAke | ErrorStartAke,
    /// <summary>What a managed endpoint wants: version 3 only, nothing in the clear.</summary>
    Managed = AllowV3 | RequireEncryption,
}
