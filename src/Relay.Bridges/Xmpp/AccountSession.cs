namespace Relay.Bridges.Xmpp;

/// <summary>
/// A client's session with its server, which may outlive the connection by stream management (XEP-0198): what was written and not
/// acknowledged is sent again on the connection that resumes it. Thread-safe.
/// </summary>
internal sealed class AccountSession
{
    /// <summary>Stanzas that are handled before the server is told without its asking.</summary>
    private const uint TellAfter = 20;

    private readonly SemaphoreSlim _writing = new(1, 1);
    private StanzaStream? _stream;
    private long _told;

    /// <param name="address">The full address that the server gave.</param>
    /// <param name="isManaged">With stream management.</param>
    /// <param name="resumptionId">Null: the session cannot be resumed.</param>
    public AccountSession(Jid address, bool isManaged, string? resumptionId)
    {
        Address = address;
        if (isManaged) Management = new StreamManagement(resumptionId, OnHandledMore);
    }

    public Jid Address { get; }

    /// <summary>Null if the server has no stream management.</summary>
    public StreamManagement? Management { get; }

    /// <summary>Goes on with a connection: first with what the server has not acknowledged.</summary>
    public async Task AttachAsync(StanzaStream stream)
    {
        await _writing.WaitAsync();
        try
        {
            var again = Management?.Unacknowledged() ?? [];
            foreach (var stanza in again) await stream.WriteAsync(stanza);
            if (again.Length > 0) await stream.WriteAsync(StanzaWriter.AckRequest);
            _stream = stream;
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>The connection has ended, and its writes with it: nothing is written or counted until there is another.</summary>
    public async Task DetachAsync()
    {
        await _writing.WaitAsync();
        _stream = null;
        _writing.Release();
        if (Management is { ResumptionId: null }) Management.End();
    }

    /// <summary>Writes a stanza.</summary>
    /// <returns>Whether it was written, and with stream management what tells whether the server has it.</returns>
    public async Task<(bool IsWritten, Task<bool>? Settled)> SendAsync(string stanza)
    {
        await _writing.WaitAsync();
        try
        {
            if (_stream is not { } stream) return (false, null);
            if (Management is null) return (await stream.WriteAsync(stanza), null);
            // Counted before it is written, and in the order in which it is written.
            var sent = Management.Add(stanza);
            await stream.WriteAsync(stanza);
            if (Management.Open > XmppLimits.MaxUnacknowledged) stream.Abort();
            return (true, sent.Settled);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Asks the server for its count; nothing without stream management.</summary>
    public Task RequestAckAsync() => Management is null ? Task.CompletedTask : WriteUncountedAsync(StanzaWriter.AckRequest);

    /// <summary>Tells the server what it need not keep.</summary>
    public Task AcknowledgeAsync()
    {
        if (Management is not { } management) return Task.CompletedTask;
        uint handled = management.Handled;
        Interlocked.Exchange(ref _told, handled);
        return WriteUncountedAsync(StanzaWriter.Ack(handled));
    }

    /// <summary>The session is over, here or at the server.</summary>
    public void End() => Management?.End();

    private void OnHandledMore()
    {
        uint handled = Management!.Handled;
        if (handled == Management.Received || unchecked(handled - (uint)Interlocked.Read(ref _told)) >= TellAfter) _ = AcknowledgeAsync();
    }

    private async Task WriteUncountedAsync(string element)
    {
        await _writing.WaitAsync();
        try
        {
            if (_stream is { } stream) await stream.WriteAsync(element);
        }
        finally
        {
            _writing.Release();
        }
    }
}
