using System.Reflection;

namespace Otr.Core.Tests.Crypto;

public class SystemRandomTests
{
    [Fact]
    public void Nothing_is_kept_of_what_is_handed_out_or_will_be() =>
        Assert.Empty(typeof(SystemRandom).GetFields(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2048)]
    [InlineData(2049)]
    [InlineData(100_000)]
    public void Every_length_is_filled_to_its_end(int length)
    {
        // The chance that a byte stays zero in 16 fills is 2^-128.
        var seen = new byte[length];
        var bytes = new byte[length];
        for (int i = 0; i < 16; i++)
        {
            SystemRandom.Instance.Fill(bytes);
            for (int j = 0; j < length; j++) seen[j] |= bytes[j];
        }
        Assert.Equal(-1, seen.AsSpan().IndexOf((byte)0));
    }

    [Fact]
    public void Threads_never_get_the_same_bytes()
    {
        var all = new System.Collections.Concurrent.ConcurrentDictionary<Guid, bool>();
        Parallel.For(0, 8, _ =>
        {
            Span<byte> bytes = stackalloc byte[16];
            for (int i = 0; i < 5_000; i++)
            {
                SystemRandom.Instance.Fill(bytes);
                Assert.True(all.TryAdd(new Guid(bytes), true));
            }
        });
        Assert.Equal(40_000, all.Count);
    }
}
