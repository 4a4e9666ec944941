using System.Buffers;

namespace Grpc.Wire;

/// <summary>A growing buffer from the shared pool. Wiped before it goes back: messages may hold secrets.</summary>
internal sealed class PooledBuffer : IBufferWriter<byte>, IDisposable
{
    private const int InitialSize = 4096;
    private byte[] _array = ArrayPool<byte>.Shared.Rent(InitialSize);

    public int WrittenCount { get; private set; }

    public ReadOnlySequence<byte> Written => new(_array, 0, WrittenCount);

    public ReadOnlyMemory<byte> WrittenMemory => _array.AsMemory(0, WrittenCount);

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _array.Length - WrittenCount);
        WrittenCount += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _array.AsMemory(WrittenCount);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _array.AsSpan(WrittenCount);
    }

    public void Dispose()
    {
        Return(_array, WrittenCount);
        _array = [];
        WrittenCount = 0;
    }

    private void Reserve(int sizeHint)
    {
        sizeHint = Math.Max(sizeHint, 1);
        if (_array.Length - WrittenCount >= sizeHint)
            return;
        int size = checked(WrittenCount + Math.Max(sizeHint, WrittenCount));
        byte[] larger = ArrayPool<byte>.Shared.Rent(size);
        _array.AsSpan(0, WrittenCount).CopyTo(larger);
        Return(_array, WrittenCount);
        _array = larger;
    }

    private static void Return(byte[] array, int used)
    {
        if (array.Length == 0)
            return;
        array.AsSpan(0, used).Clear();
        ArrayPool<byte>.Shared.Return(array);
    }
}
