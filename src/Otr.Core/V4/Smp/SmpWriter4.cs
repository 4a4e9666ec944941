using Otr.Core.Crypto.Ed448;
using Otr.Core.Wire;

namespace Otr.Core.V4.Smp;

/// <summary>Writes POINTs and SCALARs one behind the other: a message, or what a step keeps for the next.</summary>
internal ref struct SmpWriter4(Span<byte> destination)
{
    private readonly Span<byte> _destination = destination;
    private int _length;

    public void Point(Ed448Point point) => point.Encoding.CopyTo(Next());

    public void Scalar(Ed448Scalar scalar) => scalar.Encode(Next());

    /// <summary>d = r − c·x.</summary>
    public void Response(Ed448Scalar r, Ed448Scalar c, Ed448Scalar x)
    {
        using var d = Ed448Scalar.SubtractProduct(r, c, x);
        Scalar(d);
    }

    private Span<byte> Next()
    {
        var field = _destination.Slice(_length, Ed448Point.Size);
        _length += field.Length;
        return field;
    }
}

/// <summary>
/// Reads POINTs and SCALARs of a message. Failure is sticky; a POINT that fails any check fails the message. What was read is wiped on
/// disposal.
/// </summary>
internal ref struct SmpReader4(ReadOnlySpan<byte> message) : IDisposable
{
    private readonly List<IDisposable> _read = [];
    private OtrReader _reader = new(message);

    /// <summary>Every field fitted and nothing follows.</summary>
    public readonly bool IsComplete => _reader.IsComplete;

    /// <summary>DATA.</summary>
    public ReadOnlySpan<byte> Data() => _reader.ReadData();

    public Ed448Point Point()
    {
        var field = _reader.ReadFixed(Ed448Point.Size);
        if (!_reader.Failed && Ed448Point.TryDecode(field, out var point))
        {
            _read.Add(point);
            return point;
        }
        _reader.Fail();
        return Ed448Point.Base;
    }

    public Ed448Scalar Scalar()
    {
        var scalar = Ed448Scalar.Reduce(_reader.ReadFixed(Ed448Scalar.Size));
        _read.Add(scalar);
        return scalar;
    }

    public readonly void Dispose()
    {
        foreach (var read in _read) read.Dispose();
    }
}

/// <summary>Fresh random scalars of one message, wiped on disposal.</summary>
internal readonly ref struct SmpScalars4 : IDisposable
{
    private readonly Ed448Scalar[] _scalars;

    /// <summary>Draws so many times 57 bytes.</summary>
    public SmpScalars4(int count, IRandomSource random)
    {
        _scalars = new Ed448Scalar[count];
        for (int i = 0; i < count; i++) _scalars[i] = Ed448Scalar.Draw(random);
    }

    public Ed448Scalar this[int index] => _scalars[index];

    public void Dispose()
    {
        foreach (var scalar in _scalars) scalar.Dispose();
    }
}
