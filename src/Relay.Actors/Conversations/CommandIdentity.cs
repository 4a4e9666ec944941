using System.Text;
using Otr.Core;
using Relay.Actors.Sealing;

namespace Relay.Actors.Conversations;

/// <summary>By what a command is recognised when it comes again: its id, and what it asks for. Both keyed hashes.</summary>
internal readonly record struct CommandIdentity(UInt128 Id, UInt128 Content)
{
    public static CommandIdentity Of(KeyedIds ids, Command command)
    {
        var (kind, text) = command switch
        {
            Command.ReceiveWire wire => ("wire", wire.Text),
            Command.Send send => ("send", send.Text),
            Command.Start => ("start", default),
            Command.End => ("end", default),
            _ => throw new ArgumentException($"An unknown command: {command.GetType().Name}.", nameof(command)),
        };
        // Bridges and bots count for themselves: the same id from the two is not the same request.
        var space = command is Command.ReceiveWire ? "wire-id" : "request-id";
        return new CommandIdentity(ids.Of(space, Encoding.UTF8.GetBytes(command.RequestId)), ids.Of("content/" + kind, text.Span));
    }

    /// <summary>The engine's word for a command.</summary>
    /// <param name="reference">For a send.</param>
    public static OtrInput Input(Command command, ulong reference) => command switch
    {
        Command.ReceiveWire wire => new OtrInput.WireReceived(wire.Text),
        Command.Send send => new OtrInput.SendRequested(send.Text, reference),
        Command.Start => new OtrInput.StartRequested(),
        Command.End => new OtrInput.EndRequested(),
        _ => throw new ArgumentException($"An unknown command: {command.GetType().Name}.", nameof(command)),
    };
}
