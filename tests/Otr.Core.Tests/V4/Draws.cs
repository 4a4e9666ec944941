namespace Otr.Core.Tests.V4;

/// <summary>Random draws as a vector lists them: each has to be asked for in its place and with its length.</summary>
internal sealed class Draws(params byte[][] draws) : IRandomSource
{
    private int _next;

    public bool IsEmpty => _next == draws.Length;

    public void Fill(Span<byte> destination)
    {
        Assert.False(IsEmpty, "More was drawn than the vector lists.");
        Assert.Equal(draws[_next].Length, destination.Length);
        draws[_next++].CopyTo(destination);
    }
}
