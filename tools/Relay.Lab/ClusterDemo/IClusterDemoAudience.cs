using Relay.Lab.Demo;

namespace Relay.Lab.ClusterDemo;

/// <summary>Whom the cluster demo is shown to.</summary>
internal interface IClusterDemoAudience
{
    void Chapter(string number, string title, string narration);
    void Fact(string text);

    /// <summary>Something that takes a moment is being done.</summary>
    void Progress(string text);

    /// <param name="sign">What began the outage, for the mark in the timeline: "kill".</param>
    void Outage(OutageFacts outage, string sign);
    void Restart(RestartFacts restart);
    void Verdict(ClusterDemoFacts facts, IReadOnlyList<DemoCheck> checks, string? failure, string? logs);
}
