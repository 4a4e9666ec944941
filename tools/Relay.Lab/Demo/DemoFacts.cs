namespace Relay.Lab.Demo;

/// <summary>Facts that the checks need besides the transcript.</summary>
internal sealed class DemoFacts
{
    public IReadOnlyList<string> Said { get; set; } = [];
    public string EndpointFingerprint { get; set; } = "";
    public int ProcessBefore { get; set; }
    public int ProcessAfter { get; set; }
    public int KillExitCode { get; set; }

    /// <summary>From the server's death until the contact read the first answer of its successor.</summary>
    public TimeSpan Outage { get; set; }
    public string RefusedAfterEnd { get; set; } = "";
    public int WireAfterEnd { get; set; }
}
