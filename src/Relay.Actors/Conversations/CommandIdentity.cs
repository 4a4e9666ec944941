using System.Text;
using Otr.Core;
using Relay.Storage.Sealing;

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
        var id = command is Command.ReceiveWire ? OfWire(ids, command.RequestId) : ids.Of("request-id", Encoding.UTF8.GetBytes(command.RequestId));
        return new CommandIdentity(id, ids.Of("content/" + kind, text.Span));
    }

    /// <summary>A bridge's id of a message.</summary>
    public static UInt128 OfWire(KeyedIds ids, string messageId) => ids.Of("wire-id", Encoding.UTF8.GetBytes(messageId));

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
