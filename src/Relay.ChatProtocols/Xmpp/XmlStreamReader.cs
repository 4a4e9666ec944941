using System.Xml;

namespace Relay.ChatProtocols.Xmpp;

/// <summary>What was read from an XML stream.</summary>
public abstract record StreamRead
{
    /// <summary>A stanza; for the first read, the stream's own start tag.</summary>
    public sealed record Element(XmppElement Value) : StreamRead;

    /// <summary>A stanza that is beyond the bounds; the stream goes on.</summary>
    public sealed record Dropped(string Reason) : StreamRead;

    /// <summary>
    /// The stream has ended: by its end tag, the connection's end, or XML that is not acceptable. For operators, without content.
    /// </summary>
    public sealed record End(string Reason) : StreamRead;
}

/// <summary>
/// Reads the stanzas of an XML stream. Hostile XML is a value: <see cref="XmlReader"/> has no bound for depth, attributes and size, so they
/// are counted here, and bytes below the reader, before it buffers them.
/// </summary>
public sealed class XmlStreamReader : IDisposable
{
    private readonly CountedStream _bytes;
    private readonly CountedNames _names = new();
    private readonly XmlReader _reader;
    private bool _isOpen;

    public XmlStreamReader(Stream stream)
    {
        _bytes = new CountedStream(stream);
        _reader = XmlReader.Create(_bytes, new XmlReaderSettings
        {
            Async = true,
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            CheckCharacters = true,
            ConformanceLevel = ConformanceLevel.Document,
            IgnoreComments = true,
            IgnoreProcessingInstructions = true,
            NameTable = _names,
        });
    }

    /// <summary>Reads the stream's start tag, then one stanza for each call. Closing the connection ends a read.</summary>
    public async Task<StreamRead> ReadAsync()
    {
        try
        {
            while (await _reader.ReadAsync())
            {
                if (_reader.NodeType == XmlNodeType.EndElement) return new StreamRead.End("The server ended the stream.");
                if (_reader.NodeType != XmlNodeType.Element) continue;
                var read = _isOpen ? await ReadStanzaAsync() : ReadStart();
                _bytes.Restart();
                return read;
            }
            return new StreamRead.End("The server closed the connection.");
        }
        catch (StanzaTooLongException)
        {
            return new StreamRead.End($"A stanza has more than {XmlLimits.MaxStanzaBytes} bytes.");
        }
        catch (XmlException) when (_bytes.HasEnded)
        {
            return new StreamRead.End("The server closed the connection.");
        }
        catch (XmlException)
        {
            return new StreamRead.End("What the server sent is not well-formed XML, or has a document type.");
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException && _bytes.HasFailed)
        {
            return new StreamRead.End("The connection broke.");
        }
    }

    public void Dispose() => _reader.Dispose();

    private StreamRead ReadStart()
    {
        _isOpen = true;
        if (_reader.AttributeCount > XmlLimits.MaxAttributes) return new StreamRead.End("The stream's start has too many attributes.");
        if (_reader.IsEmptyElement) return new StreamRead.End("The server ended the stream.");
        return new StreamRead.Element(Start());
    }

    private async Task<StreamRead> ReadStanzaAsync()
    {
        int top = _reader.Depth, elements = 0;
        string? fault = null;
        var open = new Stack<XmppElement>();
        while (true)
        {
            switch (_reader.NodeType)
            {
                case XmlNodeType.Element:
                    bool isEmpty = _reader.IsEmptyElement;
                    fault ??= Fault(++elements, _reader.Depth - top);
                    if (fault is null)
                    {
                        var element = Start();
                        if (open.TryPeek(out var parent)) parent.AddChild(element);
                        open.Push(element);
                    }
                    if (isEmpty && Close(open, top, ref fault) is { } alone) return alone;
                    break;
                case XmlNodeType.EndElement:
                    if (Close(open, top, ref fault) is { } read) return read;
                    break;
                case XmlNodeType.Text or XmlNodeType.CDATA or XmlNodeType.Whitespace or XmlNodeType.SignificantWhitespace
                    when fault is null:
                    open.Peek().AddText(await _reader.GetValueAsync());
                    break;
            }
            if (!await _reader.ReadAsync()) return new StreamRead.End("The server closed the connection.");
        }
    }

    private string? Fault(int elements, int depth) =>
        depth >= XmlLimits.MaxDepth ? "DEPTH"
        : _reader.AttributeCount > XmlLimits.MaxAttributes ? "ATTRIBUTES"
        : elements > XmlLimits.MaxElements ? "ELEMENTS"
        : null;

    /// <summary>Closes an element; returns the stanza if it was the outermost one.</summary>
    private StreamRead? Close(Stack<XmppElement> open, int top, ref string? fault)
    {
        bool isLast = _reader.Depth == top;
        if (fault is not null) return isLast ? new StreamRead.Dropped(fault) : null;
        var element = open.Pop();
        return isLast ? new StreamRead.Element(element) : null;
    }

    private XmppElement Start()
    {
        var element = new XmppElement(_reader.LocalName, _reader.NamespaceURI);
        for (bool more = _reader.MoveToFirstAttribute(); more; more = _reader.MoveToNextAttribute())
        {
            if (_reader.NamespaceURI.Length == 0) element.AddAttribute(_reader.LocalName, _reader.Value);
            else if (_reader.Name == "xml:lang") element.AddAttribute("xml:lang", _reader.Value);
        }
        _reader.MoveToElement();
        return element;
    }

    private sealed class StanzaTooLongException : IOException;

    /// <summary>Counts the bytes since the last stanza, and remembers how the connection ended.</summary>
    private sealed class CountedStream(Stream inner) : Stream
    {
        private long _count;

        public bool HasEnded { get; private set; }
        public bool HasFailed { get; private set; }

        public void Restart() => _count = 0;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_count > XmlLimits.MaxStanzaBytes) throw new StanzaTooLongException();
            try
            {
                int read = await inner.ReadAsync(buffer, cancellationToken);
                HasEnded |= read == 0;
                _count += read;
                return read;
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
            {
                HasFailed = true;
                throw new IOException("The connection broke.", e);
            }
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count) =>
            ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
        public override void Flush() { }
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }

    /// <summary>The reader keeps every name that it has seen for as long as it lives; peers choose names, so there is a bound.</summary>
    private sealed class CountedNames : XmlNameTable
    {
        private readonly NameTable _inner = new();
        private long _characters;

        public override string Add(char[] array, int offset, int length) =>
            _inner.Get(array, offset, length) ?? Count(_inner.Add(array, offset, length));

        public override string Add(string array) => _inner.Get(array) ?? Count(_inner.Add(array));

        public override string? Get(char[] array, int offset, int length) => _inner.Get(array, offset, length);

        public override string? Get(string array) => _inner.Get(array);

        private string Count(string added)
        {
            _characters += added.Length;
            return _characters <= XmlLimits.MaxNameCharacters ? added
                : throw new XmlException("The stream has used too many names.");
        }
    }
}
