using System.Runtime.ExceptionServices;

namespace Relay.Simulation.Tests;

/// <summary>Runs schedules, each on one thread.</summary>
internal static class Simulation
{
    private const int StackBytes = 16 << 20;

    /// <summary>A thread without a synchronisation context: with one, continuations would go to the thread pool.</summary>
    public static void OnItsOwnThread(Action run)
    {
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                run();
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
        }, StackBytes) { IsBackground = true };
        thread.Start();
        thread.Join();
        failure?.Throw();
    }
}
