using Spectre.Console;

namespace Relay.Cli.Files;

/// <summary>Shows how far a transfer is, to somebody who looks at the terminal: on standard error, and not beside JSON.</summary>
internal static class TransferProgress
{
    /// <param name="size">Of the whole file, in bytes.</param>
    /// <param name="transfer">Is given what to call with the bytes that are done.</param>
    public static async Task<T> ShowAsync<T>(bool json, string what, long size, Func<Action<long>, Task<T>> transfer)
    {
        if (json || Console.IsErrorRedirected) return await transfer(static _ => { });
        return await Report.ErrorTerminal().Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new DownloadedColumn())
            .StartAsync(async context =>
            {
                var task = context.AddTask(Markup.Escape(Report.Safe(what)), maxValue: Math.Max(1, size));
                var result = await transfer(done => task.Value = done);
                task.Value = task.MaxValue;
                return result;
            });
    }
}

/// <summary>A file that tells how far it was read or written.</summary>
internal sealed class CountingStream(FileStream inner, Action<long> moved) : Stream
{
    public override bool CanRead => inner.CanRead;
    public override bool CanSeek => true;
    public override bool CanWrite => inner.CanWrite;
    public override long Length => inner.Length;
    public override long Position { get => inner.Position; set => inner.Position = value; }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int count = await inner.ReadAsync(buffer, cancellationToken);
        moved(inner.Position);
        return count;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await inner.WriteAsync(buffer, cancellationToken);
        moved(inner.Position);
    }

    public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);
    public override void Write(byte[] buffer, int offset, int count) => inner.Write(buffer, offset, count);
    public override long Seek(long offset, SeekOrigin origin) => inner.Seek(offset, origin);
    public override void SetLength(long value) => inner.SetLength(value);
    public override void Flush() => inner.Flush();

    protected override void Dispose(bool disposing)
    {
        if (disposing) inner.Dispose();
        base.Dispose(disposing);
    }
}
