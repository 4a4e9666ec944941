namespace Relay.Lab.Demo;

/// <summary>Presents the demo: as text for people, or as JSON for programs.</summary>
internal interface IDemoAudience
{
    void Chapter(string number, string title, string narration);
    /// <summary>Sets the contact's implementation, for the column headers.</summary>
    void Cast(string contact);
    void Fact(string text);
    void Show(IReadOnlyList<DemoEntry> entries);
    void Verdict(IReadOnlyList<DemoCheck> checks, IReadOnlyList<DemoEntry> entries, string? failure);
    void Stay(DemoStage stage);
}
