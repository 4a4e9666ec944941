namespace Relay.Lab.Demo;

/// <summary>What happened, beside what was seen.</summary>
internal sealed class DemoFacts
{
    public IReadOnlyList<string> Said { get; set; } = [];
    public string EndpointFingerprint { get; set; } = "";
    public int ProcessBefore { get; set; }
    public int ProcessAfter { get; set; }
    public int KillExitCode { get; set; }
    public string RefusedAfterEnd { get; set; } = "";
    public int WireAfterEnd { get; set; }
}
