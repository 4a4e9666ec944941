using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Epochs;

/// <summary>
/// Follows the cluster's sealing epochs on one node: seals in the current one, destroys the keys of those that have ended, and hands the
/// key to nodes that ask for it.
/// </summary>
internal sealed class EpochWatch(EpochKeyFile file, EpochDocuments documents, TimeSpan interval, TimeProvider time, ILogger log)
    : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private Task _watching = Task.CompletedTask;
    private bool _isOther;

    public void Start() => _watching = WatchAsync();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _watching.ConfigureAwait(false);
        _stop.Dispose();
    }

    /// <summary>One look.</summary>
    /// <exception cref="StoreException"/>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public async Task LookAsync(CancellationToken cancellation)
    {
        if (await documents.LoadAsync(cancellation).ConfigureAwait(false) is not var (document, version)) return;
        if (file.Epochs.Check(document.Now.Current) is { } held && !held.AsSpan().SequenceEqual(document.Check))
        {
            // Nothing of the own chain is destroyed or handed over.
            if (!_isOther) EpochLog.OtherChain(log);
            _isOther = true;
            return;
        }
        file.Advance(document.Now.Current, document.Now.BegunMs);
        if (document.Now.Floor <= file.Now.Current) file.Destroy(document.Now.Floor);
        if (document.Requests.Any(r => r.Answer.Length == 0)) await AnswerAsync(document, version, cancellation).ConfigureAwait(false);
    }

    private async Task AnswerAsync(EpochDocument document, ulong version, CancellationToken cancellation)
    {
        uint epoch = file.Now.Floor;
        var secret = GC.AllocateArray<byte>(SealingEpochs.SecretSize, pinned: true);
        if (!file.Epochs.TryCopySecret(epoch, secret)) return;
        var answered = document.Requests.Select(r => r.Answer.Length > 0 ? r
            : EpochHandOver.Answer(r.PublicKey, epoch, secret) is { } answer ? r with { Epoch = epoch, Answer = answer } : null);
        var next = document with { Requests = [.. answered.OfType<EpochRequest>()] };
        CryptographicOperations.ZeroMemory(secret);
        if (await documents.SaveAsync(next, version, cancellation).ConfigureAwait(false)) EpochLog.HandedOver(log);
    }

    private async Task WatchAsync()
    {
        try
        {
            while (true)
            {
                await Sleep.ForAsync(interval, time, _stop.Token).ConfigureAwait(false);
                try
                {
                    await LookAsync(_stop.Token).ConfigureAwait(false);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    // Looked at again at the next tick. The watch must not end.
                    EpochLog.WatchFailed(log, e is StoreException or IOException ? e.Message : e.GetType().Name);
                }
            }
        }
        catch (OperationCanceledException)
        {
        }
    }
}
