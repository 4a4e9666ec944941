using GrpcTests;
using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

if (args is ["throughput"])
{
    await Throughput.RunAsync();
    return 0;
}

// What xunit would generate.
return args.Contains("-automated") || args.Contains("@@")
    ? await ConsoleRunner.Run(args)
    : await TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions);
