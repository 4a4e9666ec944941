using Relay.Actors.Outbox;

namespace Relay.Actors.Conversations;

/// <summary>What one round of an actor took from its mailbox, and what is to be said once it is durable.</summary>
internal sealed class Batch
{
    private readonly List<(Envelope Envelope, ConversationReply Reply)> _whenDurable = [];

    /// <summary>Not answered yet.</summary>
    public List<Envelope> Envelopes { get; } = [];

    /// <summary>Ids taken in by this round.</summary>
    public List<SeenId> Taken { get; } = [];

    public List<OutboxRow> Rows { get; } = [];

    public long RowBytes { get; private set; }

    public void Add(OutboxRow row)
    {
        Rows.Add(row);
        RowBytes += row.Length;
    }

    public void AnswerNow(Envelope envelope, ConversationReply reply)
    {
        Envelopes.Remove(envelope);
        envelope.Answer(reply);
    }

    public void AnswerWhenDurable(Envelope envelope, ConversationReply reply) => _whenDurable.Add((envelope, reply));

    public void AnswerDurable()
    {
        foreach (var (envelope, reply) in _whenDurable) envelope.Answer(reply);
    }

    /// <summary>The same to all who have no answer yet.</summary>
    public void AnswerAll(ConversationReply reply)
    {
        foreach (var envelope in Envelopes) envelope.Answer(reply);
    }

    /// <summary>Takes the plaintext out of memory.</summary>
    public void Wipe()
    {
        foreach (var row in Rows) row.Wipe();
    }
}
