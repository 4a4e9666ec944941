using Relay.Gateway.Hosting;

namespace Relay.Cli;

/// <summary>The exit codes of every command. Stable: scripts lean on them.</summary>
public static class ExitCode
{
    /// <summary>Done.</summary>
    public const int Ok = 0;
    /// <summary>Not done, for a reason that was printed.</summary>
    public const int Failed = 1;
    /// <summary>The command line, or a value on it, is wrong.</summary>
    public const int Usage = 2;
    /// <summary>The server cannot be reached, or is not ready.</summary>
    public const int Unreachable = 3;
    /// <summary>No key, a wrong key, or a key without the scope.</summary>
    public const int Denied = 4;
    /// <summary>The endpoint, conversation or key is not there.</summary>
    public const int NotFound = 5;
    /// <summary>It is there already.</summary>
    public const int AlreadyExists = 6;
    /// <summary>The conversation's state, or the server's load, does not allow it now.</summary>
    public const int Refused = 7;
    /// <summary>A node that its cluster goes on without: start it again (EX_TEMPFAIL).</summary>
    public const int StartAgain = ServerInfo.RestartExitCode;
    /// <summary>Stopped by a signal (128 + SIGINT).</summary>
    public const int Interrupted = 130;

    /// <summary>For the help.</summary>
    public const string Help = "0 done · 1 failed · 2 usage · 3 server unreachable · 4 denied · 5 not found · 6 exists already · 7 refused in this state · 75 node to be started again · 130 interrupted";
}
