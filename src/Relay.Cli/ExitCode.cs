using Relay.Gateway.Hosting;

namespace Relay.Cli;

/// <summary>The exit codes of all commands. They are stable, because scripts depend on them.</summary>
public static class ExitCode
{
    /// <summary>The command succeeded.</summary>
    public const int Ok = 0;
    /// <summary>The command failed for a reason that has no code of its own.</summary>
    public const int Failed = 1;
    /// <summary>The command line, or a value on it, is not valid.</summary>
    public const int Usage = 2;
    /// <summary>The server cannot be reached, or is not ready.</summary>
    public const int Unreachable = 3;
    /// <summary>The key is missing, not valid, or lacks the scope.</summary>
    public const int Denied = 4;
    /// <summary>The endpoint, conversation or key does not exist.</summary>
    public const int NotFound = 5;
    /// <summary>The object to create exists already.</summary>
    public const int AlreadyExists = 6;
    /// <summary>The conversation's state, or the server's load, does not allow it now.</summary>
    public const int Refused = 7;
    /// <summary>
    /// The node must be started again (EX_TEMPFAIL): the cluster has removed it, or its database was lost while it started.
    /// </summary>
    public const int StartAgain = ServerInfo.RestartExitCode;
    /// <summary>A signal stopped the command (128 + SIGINT).</summary>
    public const int Interrupted = 130;

    /// <summary>The list of exit codes in the help.</summary>
    public const string Help = "0 success · 1 failed · 2 usage · 3 server unreachable · 4 denied · 5 not found · 6 exists already · "
        + "7 refused in this state · 75 node must be restarted · 130 interrupted";
}
