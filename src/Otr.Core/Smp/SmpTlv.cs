using Otr.Core.Wire;

namespace Otr.Core.Smp;

/// <summary>A TLV to send, in a data message of its own with empty text and the IGNORE_UNREADABLE flag, as libotr does.</summary>
/// <param name="Type">One of the SMP types of <see cref="TlvType"/>.</param>
/// <param name="Value">The TLV's value, without type and length; at most 65535 bytes.</param>
internal sealed record SmpTlv(ushort Type, byte[] Value)
{
    /// <summary>The abort TLV; empty.</summary>
    public static SmpTlv Abort { get; } = new(TlvType.SmpAbort, []);
}
