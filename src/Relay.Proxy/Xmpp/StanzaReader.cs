using System.Text;
using System.Xml;
using System.Xml.Linq;

namespace Relay.Proxy.Xmpp;

/// <summary>What was read from an XML stream that is passed on.</summary>
internal abstract record StanzaRead
{
    /// <summary>The stream's start tag.</summary>
    public sealed record Start(XElement Header) : StanzaRead;

    /// <summary>A stanza as it came, and what it says.</summary>
    public sealed record Stanza(byte[] Bytes, XElement Element) : StanzaRead
    {
        /// <summary>Prints the size only.</summary>
        public override string ToString() => $"Stanza {{ {Bytes.Length} bytes }}";
    }

    /// <summary>White space between stanzas, which keeps connections alive.</summary>
    public sealed record Blank : StanzaRead;

    /// <summary>The stream has ended, or what came is not acceptable. For operators, without content.</summary>
    public sealed record End(string Reason) : StanzaRead;
}

/// <summary>
/// Cuts an XML stream into stanzas, byte-true. Each is parsed by itself, with the two namespaces that a stream declares and no others, as the
/// next reader of the same bytes will see it. RFC 6120's restricted XML: no document types, comments or processing instructions.
/// </summary>
internal sealed class StanzaReader(Stream stream)
{
    private static readonly UTF8Encoding s_utf8 = new(false, throwOnInvalidBytes: true);
    private static readonly XmlReaderSettings s_settings = new()
    {
        ConformanceLevel = ConformanceLevel.Fragment, DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, CheckCharacters = true,
    };
    private readonly byte[] _buffer = new byte[16 * 1024];
    private readonly MemoryStream _stanza = new();
    private int _at, _end, _depth;

    /// <summary>Begins another stream on the same connection; what was read ahead belongs to it.</summary>
    public void Restart() => _depth = 0;

    /// <summary>True if nothing was read ahead.</summary>
    public bool IsDrained => _at == _end;

    public async Task<StanzaRead> ReadAsync(CancellationToken cancellation)
    {
        try
        {
            return await ReadOneAsync(cancellation);
        }
        catch (StreamFault e)
        {
            return new StanzaRead.End(e.Message);
        }
        catch (Exception e) when (e is XmlException or DecoderFallbackException)
        {
            return new StanzaRead.End("What came is not well-formed XML.");
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            return new StanzaRead.End("The connection broke.");
        }
    }

    private async Task<StanzaRead> ReadOneAsync(CancellationToken cancellation)
    {
        _stanza.SetLength(0);
        while (true)
        {
            byte b = await NextAsync(cancellation);
            if (b != '<')
            {
                if (b is not ((byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')) throw new StreamFault("There is text between stanzas.");
                if (_depth == 0) continue;
                return new StanzaRead.Blank();
            }
            byte next = await NextAsync(cancellation);
            if (next == '?' && _depth == 0)
            {
                await SkipDeclarationAsync(cancellation);
                continue;
            }
            if (next == '/')
            {
                return new StanzaRead.End("The stream was ended.");
            }
            Keep((byte)'<');
            if (_depth == 0)
            {
                if (await TagAsync(next, cancellation)) throw new StreamFault("The stream was ended.");
                _depth = 1;
                return new StanzaRead.Start(Header());
            }
            await ElementAsync(next, cancellation);
            var bytes = _stanza.ToArray();
            return new StanzaRead.Stanza(bytes, Parse(s_utf8.GetString(bytes)));
        }
    }

    /// <summary>Reads to the end of the element whose <c>&lt;</c> was read.</summary>
    private async Task ElementAsync(byte next, CancellationToken cancellation)
    {
        int depth = 0;
        while (true)
        {
            if (next == '!') await CdataAsync(cancellation);
            else if (next == '?') throw new StreamFault("There is a processing instruction.");
            else if (next == '/')
            {
                await TagAsync(next, cancellation);
                depth--;
            }
            else if (!await TagAsync(next, cancellation) && ++depth > XmlLimits.MaxDepth) throw new StreamFault("A stanza is too deep.");
            if (depth == 0) return;
            // Text up to the next tag.
            while (await KeepNextAsync(cancellation) != '<') { }
            next = await NextAsync(cancellation);
        }
    }

    /// <summary>Reads to the end of a tag; true if it closes itself.</summary>
    private async Task<bool> TagAsync(byte first, CancellationToken cancellation)
    {
        Keep(first);
        byte quote = 0, before = first;
        int attributes = 0;
        while (true)
        {
            byte b = await KeepNextAsync(cancellation);
            if (quote != 0)
            {
                if (b == quote) quote = 0;
            }
            else if (b is (byte)'"' or (byte)'\'')
            {
                quote = b;
                if (++attributes > XmlLimits.MaxAttributes) throw new StreamFault("An element has too many attributes.");
            }
            else if (b == '<') throw new StreamFault("What came is not well-formed XML.");
            else if (b == '>') return before == '/' && first != '/';
            before = b;
        }
    }

    private async Task CdataAsync(CancellationToken cancellation)
    {
        Keep((byte)'!');
        foreach (char c in "[CDATA[")
        {
            if (await KeepNextAsync(cancellation) != c) throw new StreamFault("There is a comment or a document type.");
        }
        for (int brackets = 0; ;)
        {
            byte b = await KeepNextAsync(cancellation);
            if (b == '>' && brackets >= 2) return;
            brackets = b == ']' ? brackets + 1 : 0;
        }
    }

    private async Task SkipDeclarationAsync(CancellationToken cancellation)
    {
        byte before = 0;
        for (int i = 0; i < 256; i++)
        {
            byte b = await NextAsync(cancellation);
            if (b == '>' && before == '?') return;
            before = b;
        }
        throw new StreamFault("The XML declaration does not end.");
    }

    private static XElement Parse(string xml)
    {
        var names = new XmlNamespaceManager(new NameTable());
        names.AddNamespace("", Ns.Client);
        names.AddNamespace("stream", Ns.Streams);
        using var reader = XmlReader.Create(new StringReader(xml), s_settings, new XmlParserContext(null, names, null, XmlSpace.None));
        reader.MoveToContent();
        var element = (XElement)XNode.ReadFrom(reader);
        return reader.EOF || reader.MoveToContent() == XmlNodeType.None ? element : throw new StreamFault("What came is not well-formed XML.");
    }

    private XElement Header()
    {
        var bytes = _stanza.ToArray();
        var header = XElement.Parse(s_utf8.GetString(bytes, 0, bytes.Length - 1) + "/>");
        return header.Name == XName.Get("stream", Ns.Streams) && header.GetDefaultNamespace() == Ns.Client ? header
            : throw new StreamFault("The stream is not one of a client (jabber:client).");
    }

    private async ValueTask<byte> KeepNextAsync(CancellationToken cancellation)
    {
        byte b = await NextAsync(cancellation);
        Keep(b);
        return b;
    }

    private void Keep(byte b)
    {
        if (_stanza.Length >= XmlLimits.MaxStanzaBytes) throw new StreamFault($"A stanza has more than {XmlLimits.MaxStanzaBytes} bytes.");
        _stanza.WriteByte(b);
    }

    private async ValueTask<byte> NextAsync(CancellationToken cancellation)
    {
        if (_at == _end)
        {
            (_at, _end) = (0, await stream.ReadAsync(_buffer, cancellation));
            if (_end == 0) throw new StreamFault("The connection was closed.");
        }
        return _buffer[_at++];
    }

    private sealed class StreamFault(string message) : Exception(message);
}
