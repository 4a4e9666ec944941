namespace Relay.Lab.OtrPeer;

/// <summary>
/// Compiles a peer that uses the installed libotr and is controlled by the line protocol. Its C source is part of Relay. Run it
/// as <c>libotr-peer &lt;own account&gt; &lt;peer account&gt;</c>.
/// </summary>
public static class LibotrPeer
{
    /// <summary>The names of the sources, which are embedded resources; the first one is compiled.</summary>
    public static IReadOnlyList<string> Sources { get; } = ["libotr-peer.c", "peer-line.h"];

    /// <summary>Compiles the peer into <paramref name="directory"/>, unless it is up to date there.</summary>
    /// <param name="reason">If the result is false: what is missing and how to install it.</param>
    public static bool TryBuild(string directory, out string executable, out string reason)
        => NativeProgram.TryBuild(directory, Sources, out executable, out reason);
}
