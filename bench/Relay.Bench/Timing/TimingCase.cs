namespace Relay.Bench.Timing;

/// <summary>One operation under test, with inputs of two classes that differ only in the secret.</summary>
/// <param name="Name">The name in the report.</param>
/// <param name="ShouldLeak">
/// True for a control: an operation whose time is known to depend on its input, which the test must detect.
/// </param>
/// <param name="InputLength">The length of the secret, in bytes.</param>
/// <param name="Fixed">Writes the input of the fixed class.</param>
/// <param name="Random">Writes an input of the random class.</param>
/// <param name="Operation">The measured operation; its input is always at the same address.</param>
/// <param name="Cost">The factor by which the number of samples is reduced for an expensive operation.</param>
internal sealed record TimingCase(
    string Name, bool ShouldLeak, int InputLength, TimingCase.Fill Fixed, TimingCase.Fill Random, TimingCase.Measured Operation,
    int Cost = 1)
{
    public delegate void Fill(Span<byte> input);
    public delegate void Measured(ReadOnlySpan<byte> input);
}
