using FsCheck;
using FsCheck.Fluent;
using Otr.Core.Tests.Kit;

namespace Otr.Core.Tests.Properties;

/// <summary>
/// Safety always, and progress once the adversary stops: whatever is dropped, repeated, reordered, truncated, bent,
/// replayed or reflected, and whenever a side restarts.
/// </summary>
public sealed class AdversaryTests
{
    private const int Length = 120;
    private static readonly TimeSpan Box = TimeSpan.FromSeconds(18);

    // Honest moves are more frequent than hostile ones, or nothing ever comes about.
    private static readonly Gen<Move> Moves = Gen.Frequency(
        (40, Gen.Elements(Move.DeliverToA, Move.DeliverToB)),
        (10, Gen.Elements(Move.ASends, Move.BSends)),
        (2, Gen.Elements(Move.AStarts, Move.BStarts)),
        (1, Gen.Elements(Move.AEnds, Move.BEnds)),
        (3, Gen.Elements(Move.ASmp, Move.BSmp, Move.AAnswersSmp, Move.BAnswersSmp, Move.AExtraKey, Move.BExtraKey)),
        (14, Gen.Elements(Enum.GetValues<Move>().Where(m => m is >= Move.DropToA and <= Move.ReflectToB).ToArray())),
        (3, Gen.Elements(Move.RestartA, Move.RestartB)),
        (2, Gen.Elements(Move.TimePasses, Move.MuchTimePasses)));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_adversary_breaks_nothing_and_cannot_keep_two_sides_apart(bool isFourth)
    {
        var runs = LongRuns.Search(Box, atLeast: 10, seed =>
        {
            var schedule = Schedule(seed);
            try { Run(seed, schedule, isFourth); }
            catch (Exception e) when (e is Xunit.Sdk.IAssertionException)
            {
                throw new InvalidOperationException($"{string.Join(' ', Shrunk(seed, schedule, isFourth))}: {e.Message}", e);
            }
        });
        TestContext.Current.TestOutputHelper?.WriteLine($"{runs} schedules");
    }

    [Fact]
    public void A_seed_is_always_the_same_schedule() => Assert.Equal(Schedule(5), Schedule(5));

    private static Move[] Schedule(int seed) => Moves.ArrayOf(Length).Sample(1, new Rnd((ulong)seed + 1), Length).Single();

    private static void Run(int seed, Move[] schedule, bool isFourth)
    {
        var world = new World(seed, isFourth);
        world.Do(Move.AStarts);
        foreach (var move in schedule) world.Do(move);
        world.Recover();
    }

    /// <summary>Leaves out what is not needed to fail, so that a person can read the rest.</summary>
    private static Move[] Shrunk(int seed, Move[] schedule, bool isFourth)
    {
        for (var size = schedule.Length / 2; size > 0; size /= 2)
        {
            for (var at = 0; at + size <= schedule.Length;)
            {
                Move[] shorter = [.. schedule[..at], .. schedule[(at + size)..]];
                if (Fails(seed, shorter, isFourth)) schedule = shorter;
                else at += size;
            }
        }
        return schedule;
    }

    private static bool Fails(int seed, Move[] schedule, bool isFourth)
    {
        try { Run(seed, schedule, isFourth); }
        catch (Exception e) when (e is Xunit.Sdk.IAssertionException) { return true; }
        return false;
    }
}
