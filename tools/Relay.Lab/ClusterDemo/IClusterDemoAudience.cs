using Relay.Lab.Demo;

namespace Relay.Lab.ClusterDemo;

/// <summary>Whom the cluster demo is shown to.</summary>
internal interface IClusterDemoAudience
{
    void Chapter(string number, string title, string narration);
    void Fact(string text);

    /// <summary>Something that takes a moment is being done.</summary>
    void Progress(string text);
    void Kill(KillFacts kill);
    void Restart(RestartFacts restart);
    void Verdict(ClusterDemoFacts facts, IReadOnlyList<DemoCheck> checks, string? failure, string? logs);
}
