namespace Relay.Lab.OtrPeer;

/// <summary>
/// The system's libotr as an OTR peer behind the line protocol: a small C program that comes with Relay as source and is
/// compiled on the machine that has libotr's headers. Run it as <c>libotr-peer &lt;own account&gt; &lt;peer account&gt;</c>.
/// </summary>
public static class LibotrPeer
{
    /// <summary>The program's sources as embedded resources; the first is what is compiled.</summary>
    public static IReadOnlyList<string> Sources { get; } = ["libotr-peer.c", "peer-line.h"];

    /// <summary>Compiles the peer into <paramref name="directory"/>, unless it is there already.</summary>
    /// <param name="reason">If false: what is missing and how to install it.</param>
    public static bool TryBuild(string directory, out string executable, out string reason)
        => NativeProgram.TryBuild(directory, Sources, out executable, out reason);
}
