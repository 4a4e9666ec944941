using System.Diagnostics.CodeAnalysis;
using Otr.Core;

namespace Relay.Cli.OtrPeer;

/// <summary>A peer's identity key in libotr's key file format.</summary>
internal static class PeerKeyFile
{
    public static bool TryWrite(string file, string account, DsaPrivateKey key, out string problem)
    {
        problem = "Key files are not there yet.";
        return false;
    }

    public static bool TryRead(string file, string account, [NotNullWhen(true)] out DsaPrivateKey? key, out string problem)
    {
        key = null;
        problem = "Key files are not there yet.";
        return false;
    }
}
