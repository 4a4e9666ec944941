namespace Relay.Bench.Timing;

/// <summary>One operation under test, with inputs of two classes that differ in the secret only.</summary>
/// <param name="Name">For the report.</param>
/// <param name="ShouldLeak">Whether this is a control: an operation known to depend on its input, which the test must find.</param>
/// <param name="InputLength">Bytes of the secret.</param>
/// <param name="Fixed">Fills the input of the fixed class.</param>
/// <param name="Random">Fills an input of the random class.</param>
/// <param name="Operation">What is measured; its input is always in the same memory.</param>
/// <param name="Cost">How many times fewer samples than a cheap operation.</param>
internal sealed record TimingCase(
    string Name, bool ShouldLeak, int InputLength, TimingCase.Fill Fixed, TimingCase.Fill Random, TimingCase.Measured Operation, int Cost = 1)
{
    public delegate void Fill(Span<byte> input);
    public delegate void Measured(ReadOnlySpan<byte> input);
}
