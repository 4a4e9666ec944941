using BenchmarkDotNet.Running;

namespace Relay.Bench;

/// <summary>The micro level: `dotnet run -c Release --project bench/Relay.Bench -- --filter '*'`.</summary>
public static class Program
{
    public static void Main(string[] arguments) => BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(arguments);
}
