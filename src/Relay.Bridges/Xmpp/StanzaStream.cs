using System.Text;

namespace Relay.Bridges.Xmpp;

/// <summary>An XML stream with a server: reads stanzas, and writes them whole. Writes are safe for concurrent use.</summary>
/// <param name="connection">Closed to end reads and writes that wait.</param>
internal sealed class StanzaStream(Stream bytes, IDisposable connection) : IAsyncDisposable
{
    private static readonly TimeSpan s_closeTimeout = TimeSpan.FromSeconds(1);
    private readonly XmlStreamReader _reader = new(bytes);
    private readonly SemaphoreSlim _writing = new(1, 1);

    /// <summary>Reads the next stanza.</summary>
    public Task<StreamRead> ReadAsync() => _reader.ReadAsync();

    /// <summary>Writes a stanza; false if the connection is broken.</summary>
    public async Task<bool> WriteAsync(string xml)
    {
        await _writing.WaitAsync();
        try
        {
            await bytes.WriteAsync(Encoding.UTF8.GetBytes(xml));
            await bytes.FlushAsync();
            return true;
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            return false;
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Breaks the connection off: reads and writes that wait end.</summary>
    public void Abort() => connection.Dispose();

    /// <summary>Ends the stream as XMPP asks for, so that the server frees the address at once, and closes the connection.</summary>
    public async ValueTask DisposeAsync()
    {
        await ((Task)WriteAsync(StanzaWriter.StreamEnd)).WaitAsync(s_closeTimeout).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        connection.Dispose();
    }
}
