namespace Relay.Sdk.Tests;

/// <summary>The examples stay as short as they are meant to be.</summary>
public sealed class ExampleTests
{
    [Theory]
    [InlineData("examples/echo-bot-csharp/Program.cs", 15)]
    [InlineData("examples/echo-bot-python/echo_bot.py", 20)]
    [InlineData("examples/echo-bot-node/echo-bot.mjs", 20)]
    [InlineData("examples/verify-bot-csharp/Program.cs", 25)]
    [InlineData("examples/verify-bot-python/verify_bot.py", 25)]
    [InlineData("examples/verify-bot-node/verify-bot.mjs", 25)]
    public void An_example_has_few_lines(string file, int most)
    {
        string[] code = File.ReadAllLines(Repository.File(file));
        Assert.InRange(code.Length, 8, most);
        Assert.All(code, l => Assert.InRange(l.Length, 0, 140));
    }
}
