using System.Text;
using System.Text.Json;
using Otr.Core;

namespace Relay.Lab.OtrPeer;

/// <summary>Writes the events of the peer line protocol, one JSON object per line.</summary>
internal sealed class PeerOutput(TextWriter writer)
{
    public void Ready(string peer, string version) => Write("ready", j =>
    {
        j.WriteString("peer", peer);
        j.WriteString("version", version);
    });

    public void Done(string command, bool ok)
    {
        Write("done", j =>
        {
            j.WriteString("command", command);
            j.WriteBoolean("ok", ok);
        });
        writer.Flush();
    }

    public void Wire(ReadOnlyMemory<byte> text) => Write("wire", j => j.WriteBase64String("data", text.Span));

    public void Plain(ReadOnlyMemory<byte> text, bool encrypted) => Write("plain", j =>
    {
        j.WriteBase64String("data", text.Span);
        j.WriteBoolean("encrypted", encrypted);
    });

    /// <param name="session">Null: no session; the state is PLAINTEXT.</param>
    public void State(SessionInfo? session, string cause) => Write("state", j =>
    {
        j.WriteString("state", (session?.State ?? MessageState.Plaintext).ToString().ToUpperInvariant());
        j.WriteNumber("version", session?.Version ?? 0);
        j.WriteString("cause", cause);
        if (session is null) return;
        if (session.State == MessageState.Encrypted)
        {
            j.WriteString("ssid", $"{session.Ssid:x16}");
            j.WriteString("ssid_bold", session.SsidFirstHalfBold ? "first" : "second");
            if (session.PeerFingerprint is { } fingerprint) j.WriteString("peer_fingerprint", fingerprint.ToHex());
        }
        if (session.Version == 3)
        {
            j.WriteString("our_instag", $"{session.OurInstanceTag:x8}");
            j.WriteString("their_instag", $"{session.PeerInstanceTag:x8}");
        }
    });

    public void Smp(string what, int progress, ReadOnlyMemory<byte>? question = null) => Write("smp", j =>
    {
        j.WriteString("what", what);
        j.WriteNumber("progress", progress);
        if (question is { } q) j.WriteString("question", Encoding.UTF8.GetString(q.Span));
    });

    public void Error(string code, string text) => Problem("error", code, text);

    public void Note(string code) => Problem("note", code, "");

    public void Fingerprint(string who, Fingerprint fingerprint, bool isNew) => Write("fingerprint", j =>
    {
        j.WriteString("who", who);
        j.WriteString("hex", fingerprint.ToHex());
        j.WriteBoolean("new", isNew);
    });

    public void ExtraKey(bool sent, uint use, ReadOnlyMemory<byte> data, ReadOnlySpan<byte> key)
    {
        var hex = Convert.ToHexStringLower(key);
        Write("extra-key", j =>
        {
            j.WriteString("dir", sent ? "sent" : "received");
            j.WriteNumber("use", use);
            j.WriteString("data", Convert.ToHexStringLower(data.Span));
            j.WriteString("key", hex);
        });
    }

    public void InstanceTag(uint tag) => Write("instag", j => j.WriteString("own", $"{tag:x8}"));

    private void Problem(string kind, string code, string text) => Write(kind, j =>
    {
        j.WriteString("code", code);
        j.WriteString("text", text);
    });

    private void Write(string kind, Action<Utf8JsonWriter> fields)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("event", kind);
            fields(json);
            json.WriteEndObject();
        }
        writer.Write(Encoding.UTF8.GetString(buffer.GetBuffer().AsSpan(0, (int)buffer.Length)));
        writer.Write('\n');
    }
}
