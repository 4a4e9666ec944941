using BenchmarkDotNet.Running;
using Relay.Bench.Timing;

namespace Relay.Bench;

/// <summary>
/// Runs the microbenchmarks (`dotnet run -c Release --project bench/Relay.Bench -- --filter '*'`)
/// or the statistical timing test (`… -- timing [samples]`).
/// </summary>
public static class Program
{
    public static int Main(string[] arguments)
    {
        if (arguments is ["timing", ..])
            return TimingTest.Run(arguments.Length > 1 ? int.Parse(arguments[1]) : TimingTest.DefaultSamples, Console.Out);
        BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(arguments);
        return 0;
    }
}
