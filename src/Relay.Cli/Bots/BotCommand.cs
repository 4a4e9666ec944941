using System.CommandLine;

namespace Relay.Cli.Bots;

/// <summary>The command <c>relay bot</c>: bots that come with the product.</summary>
internal static class BotCommand
{
    public static Command Create() => new("bot", "Run a bot that comes with the product.") { EchoBotCommand.Create() };
}
