namespace Relay.Lab.Demo;

/// <summary>Whom the demo is shown to.</summary>
internal interface IDemoAudience
{
    void Chapter(string number, string title, string narration);
    /// <summary>Who the contact is, for the heads of the columns.</summary>
    void Cast(string contact);
    void Fact(string text);
    void Show(IReadOnlyList<DemoEntry> entries);
    void Verdict(IReadOnlyList<DemoCheck> checks, IReadOnlyList<DemoEntry> entries, string? failure);
    void Stay(DemoStage stage);
}
