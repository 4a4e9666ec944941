using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Relay.ChatProtocols.Dialing;

namespace Relay.Proxy.Tests.Dialing;

/// <summary>A DNS server (RFC 1035) with the records SRV that a test gives it; other names do not exist.</summary>
internal sealed class ScriptedDns : IDisposable
{
    private const int HeaderBytes = 12, NoSuchName = 3;
    private const ushort Srv = 33, Internet = 1;
    private readonly UdpClient _socket = new(new IPEndPoint(IPAddress.Loopback, 0));
    private readonly Dictionary<string, SrvRecord[]> _records = [];
    private readonly List<string> _asked = [];

    public ScriptedDns()
    {
        Address = (IPEndPoint)_socket.Client.LocalEndPoint!;
        _ = RunAsync();
    }

    public IPEndPoint Address { get; }

    /// <summary>The names that were asked for.</summary>
    public IReadOnlyList<string> Asked
    {
        get
        {
            lock (_asked) return [.. _asked.Order(StringComparer.Ordinal)];
        }
    }

    public SrvRecord[] this[string name]
    {
        set => _records[name] = value;
    }

    public void Dispose() => _socket.Dispose();

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                var question = await _socket.ReceiveAsync();
                await _socket.SendAsync(Answer(question.Buffer), question.RemoteEndPoint);
            }
        }
        catch (Exception e) when (e is ObjectDisposedException or SocketException)
        {
            // The test is over.
        }
    }

    private byte[] Answer(byte[] question)
    {
        int end = HeaderBytes;
        var labels = new List<string>();
        for (; question[end] > 0; end += 1 + question[end]) labels.Add(Encoding.ASCII.GetString(question, end + 1, question[end]));
        var name = string.Join('.', labels);
        lock (_asked) _asked.Add(name);
        var records = _records.GetValueOrDefault(name.ToLowerInvariant(), []);
        var answer = new List<byte>(question[..(end + 5)]);
        // A response, recursion available; one question and the answers, no more.
        (answer[2], answer[3]) = (0x81, (byte)(0x80 | (records.Length > 0 ? 0 : NoSuchName)));
        (answer[5], answer[6], answer[7]) = (1, 0, (byte)records.Length);
        for (int i = 8; i < HeaderBytes; i++) answer[i] = 0;
        foreach (var record in records)
        {
            byte[] target = [.. record.Target.Split('.', StringSplitOptions.RemoveEmptyEntries).SelectMany(l => Encoding.ASCII.GetBytes(l).Prepend((byte)l.Length)), 0];
            // The name of the question, by its place.
            answer.AddRange([0xc0, HeaderBytes, .. Number(Srv), .. Number(Internet), 0, 0, 0, 60, .. Number(6 + target.Length)]);
            answer.AddRange([.. Number(record.Priority), .. Number(record.Weight), .. Number(record.Port), .. target]);
        }
        return [.. answer];
    }

    private static byte[] Number(int value)
    {
        var bytes = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)value);
        return bytes;
    }
}
