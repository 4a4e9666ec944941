using System.Text;
using Relay.Actors;
using Relay.Simulation.Tests.Checks;
using Relay.Simulation.Tests.Nodes;
using Relay.Storage;

namespace Relay.Simulation.Tests.Outside;

/// <summary>A bot's or a bridge's end of one stream, with a cursor: from whatever node, after a loss from the cursor or from the last acknowledgement.</summary>
internal sealed class OutboxReader(Clients clients, Checker checker, StreamKey stream, SenderHabits habits, Action<OutboxItem, bool> handle)
{
    private const int MaxItems = 20;
    private const long MaxBytes = 1 << 20;

    private ulong _handled, _acknowledged, _acknowledging, _from;
    private bool _isAcknowledging;

    public StreamKey Stream => stream;

    public ulong Acknowledged => _acknowledged;

    /// <summary>Begins behind what was dealt with in the past.</summary>
    public void Start(ulong acknowledged)
    {
        _handled = _acknowledged = _acknowledging = _from = acknowledged;
        Read();
    }

    private void Read() => clients.Call<Page>($"reads {stream.Kind}", (long)_from, ReadAsync, page =>
    {
        if (page is null)
        {
            if (clients.Schedule.Random.Chance(habits.Rereads)) _from = _acknowledged;
            clients.Schedule.Post(clients.Outside, "connects again", 0, Read, clients.Schedule.Random.Next(300));
            return;
        }
        // An acknowledgement whose answer was lost has deleted what a reader who begins again asks for once more.
        if (page.Acknowledged > _acknowledging) throw new ViolationException(Invariant.GapFreeStreams, $"{stream.Kind} is acknowledged up to {page.Acknowledged}, {_acknowledging} was asked for.");
        if (page.Items is [var first, ..] && first.Sequence <= _acknowledging + 1) _from = Math.Max(_from, first.Sequence - 1);
        foreach (var item in page.Items)
        {
            checker.Read(stream, _from, item, Content(item));
            _from = item.Sequence;
            bool isNew = item.Sequence > _handled;
            if (isNew) _handled = item.Sequence;
            handle(item, isNew);
        }
        Acknowledge();
        Read();
    });

    /// <summary>As a gateway does for a stream: from the cursor or the last acknowledgement, whichever is later.</summary>
    private async ValueTask<Page> ReadAsync(SimNode relay, CancellationToken cancellation)
    {
        var (acknowledged, _) = await relay.Outbox.PositionAsync(stream, cancellation).ConfigureAwait(false);
        ulong from = Math.Max(_from, acknowledged);
        await relay.Outbox.WaitAsync(stream, from, cancellation).ConfigureAwait(false);
        return new Page(acknowledged, await relay.Outbox.ReadAsync(stream, from, MaxItems, MaxBytes, cancellation).ConfigureAwait(false));
    }

    private sealed record Page(ulong Acknowledged, IReadOnlyList<OutboxItem> Items);

    private void Acknowledge()
    {
        if (_isAcknowledging || _handled == _acknowledged) return;
        _isAcknowledging = true;
        clients.Schedule.Post(clients.Outside, "acknowledges", (long)_handled, () =>
        {
            ulong upTo = _acknowledging = _handled;
            clients.Call<object>($"acknowledges {stream.Kind}", (long)upTo, async (relay, cancellation) =>
            {
                await relay.Outbox.AcknowledgeAsync(stream, upTo, cancellation).ConfigureAwait(false);
                return this;
            }, done =>
            {
                if (done is not null) _acknowledged = Math.Max(_acknowledged, upTo);
                _isAcknowledging = false;
                Acknowledge();
            });
        }, clients.Schedule.Random.Next(200));
    }

    /// <summary>All that an item says.</summary>
    private static string Content(OutboxItem item) => $"{item.ConversationId} {item.Peer} {item.Time:O} " + item.Body switch
    {
        OutboxBody.WireText wire => Encoding.UTF8.GetString(wire.Text.Span),
        OutboxBody.TextReceived text => $"{Encoding.UTF8.GetString(text.Utf8.Span)} {text.Encrypted} {text.UnexpectedlyClear} {text.PeerFingerprint}",
        OutboxBody.SessionChanged changed => $"{changed}",
        OutboxBody.IdentityChanged changed => $"{changed.Identity.Fingerprint} {changed.Identity.Standing}",
        OutboxBody.MessageChanged changed => $"{changed}",
        OutboxBody.FileChanged { File: var file } => $"{file.Id} {file.State}",
        OutboxBody.MessageDropped dropped => $"{dropped}",
        OutboxBody.Notice notice => $"{notice.Code} {Encoding.UTF8.GetString(notice.Utf8.Span)}",
        var other => throw new InvalidOperationException($"An unknown body: {other.GetType().Name}."),
    };
}
