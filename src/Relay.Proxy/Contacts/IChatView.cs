namespace Relay.Proxy.Contacts;

/// <summary>
/// One connection of the person's client, as the private conversations see it. Calls come one at a time, put something into a queue, and
/// never wait.
/// </summary>
internal interface IChatView
{
    /// <summary>Tells the person something, as from the service contact.</summary>
    void Notice(string text);

    /// <summary>Shows a text as from a contact.</summary>
    /// <param name="origin">What the view gave with the wire text that brought it; null if it was given by another view, or by none.</param>
    void Deliver(string peer, MarkedText text, object? origin);

    /// <summary>Sends wire text to a contact.</summary>
    /// <param name="id">The client's id of the text that it carries; null for protocol messages.</param>
    /// <param name="written">Called once the text was handed to the network, from any thread; null: nobody waits.</param>
    void SendWire(string peer, string wire, string? id, Action? written);

    /// <summary>Tells the client that a text was not sent.</summary>
    void Refuse(string peer, string id, string reason);

    /// <summary>Ends the connection.</summary>
    void Close();
}
