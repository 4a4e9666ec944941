using Otr.Core.Crypto;
using Otr.Core.Crypto.Ed448;

namespace Otr.Core.V4.Ratchet;

/// <summary>Why a message's header was refused.</summary>
internal enum RatchetFault
{
    None,
    /// <summary>A ratchet that cannot have begun.</summary>
    UnexpectedRatchet,
    /// <summary>A D-H key in a ratchet without one, or none in one with.</summary>
    DhPresence,
    /// <summary>An ECDH or D-H key that is not valid, or one that is in use already.</summary>
    InvalidKey,
    /// <summary>Keys that are not those of the ratchet that the message names.</summary>
    OtherKeys,
    /// <summary>More messages would have been skipped than keys are stored.</summary>
    TooManySkipped,
    /// <summary>Its keys were used, have expired or never were.</summary>
    NoKey,
}

/// <summary>Receiving: a candidate first, changes after the MAC.</summary>
internal sealed partial class DoubleRatchet
{
    /// <summary>
    /// The keys for one received message, and what the ratchet would become. Belongs to the ratchet as it is: it is committed or disposed
    /// before anything else happens to that. Disposed in either case.
    /// </summary>
    internal sealed class Candidate : IDisposable
    {
        internal Candidate(uint ratchet, uint message, MessageKeys keys) => (Ratchet, Message, Keys) = (ratchet, message, keys);

        internal uint Ratchet { get; }

        internal uint Message { get; }

        /// <summary>Keys to verify and decrypt with.</summary>
        public MessageKeys Keys { get; }

        /// <summary>Set if the message is in a new ratchet.</summary>
        internal NewRatchet? New { get; init; }

        /// <summary>The keys are among the skipped ones and stay there until the candidate is committed.</summary>
        internal bool IsStored { get; set; }

        /// <summary>Wipes the keys, and what a message that was refused had led to.</summary>
        public void Dispose()
        {
            if (!IsStored) Keys.Dispose();
            New?.Dispose();
        }

        /// <summary>Prints the type only.</summary>
        public override string ToString() => nameof(Candidate);
    }

    /// <summary>What a rotation led to.</summary>
    internal sealed class NewRatchet(uint previousCount, Ed448Point ecdh, byte[]? dh) : IDisposable
    {
        public readonly SecretBytes Root = new(MessageKeys.KeySize), Brace = new(BraceKeySize), Chain = new(MessageKeys.KeySize);

        public uint PreviousCount => previousCount;

        public Ed448Point Ecdh => ecdh;

        public byte[]? Dh => dh;

        public void Dispose()
        {
            Root.Dispose();
            Brace.Dispose();
            Chain.Dispose();
        }
    }

    /// <summary>
    /// Finds or derives the keys for a received message. Changes nothing. Costs at most <see cref="OtrLimits.MaxSkippedKeys"/> hashes twice
    /// over, and for a new ratchet the checks of its keys, an ECDH and perhaps a D-H agreement.
    /// </summary>
    /// <param name="candidate">To be given to <see cref="Commit"/> if the MAC verifies, else disposed.</param>
    public RatchetFault Open(in RatchetHeader header, out Candidate? candidate)
    {
        candidate = null;
        if (header.HasDh == header.Dh.IsEmpty) return RatchetFault.DhPresence;
        if (header.RatchetId > Rotations) return RatchetFault.UnexpectedRatchet;
        if (header.RatchetId == _receivingId)
        {
            if (!header.Ecdh.SequenceEqual(_theirEcdh.Encoding)) return RatchetFault.OtherKeys;
            if (header.HasDh && !header.Dh.SequenceEqual(_theirDh)) return RatchetFault.OtherKeys;
            if (header.MessageId >= Received) return OpenInChain(header, out candidate);
        }
        else if (header.RatchetId == Rotations)
        {
            // The peer rotates only after it has received from our ratchet, of which nothing was sent while our own rotation is due.
            return _sendingRotationDue ? RatchetFault.UnexpectedRatchet : OpenNew(header, out candidate);
        }
        if (!_skipped.TryGet(header.RatchetId, header.MessageId, out var stored)) return RatchetFault.NoKey;
        candidate = new Candidate(header.RatchetId, header.MessageId, stored) { IsStored = true };
        return RatchetFault.None;
    }

    private RatchetFault OpenInChain(in RatchetHeader header, out Candidate? candidate)
    {
        candidate = null;
        if (header.MessageId - Received > OtrLimits.MaxSkippedKeys) return RatchetFault.TooManySkipped;
        var keys = KeysAt(_receivingChain.Span, Received, header.MessageId);
        candidate = new Candidate(header.RatchetId, header.MessageId, keys);
        return RatchetFault.None;
    }

    private RatchetFault OpenNew(in RatchetHeader header, out Candidate? candidate)
    {
        candidate = null;
        uint missing = _receivingId is not null && header.PreviousCount > Received ? header.PreviousCount - Received : 0;
        if (missing > OtrLimits.MaxSkippedKeys || header.MessageId > OtrLimits.MaxSkippedKeys - missing) return RatchetFault.TooManySkipped;
        bool isKnown = header.Ecdh.SequenceEqual(_theirEcdh.Encoding) || header.Ecdh.SequenceEqual(_ourEcdh.Public.Encoding);
        if (header.HasDh) isKnown |= header.Dh.SequenceEqual(_theirDh) || header.Dh.SequenceEqual(_ourDh.Public);
        if (isKnown || (header.HasDh && !Group3072.IsElement(header.Dh))) return RatchetFault.InvalidKey;
        if (!Ed448Point.TryDecode(header.Ecdh, out var ecdh)) return RatchetFault.InvalidKey;

        var next = new NewRatchet(header.PreviousCount, ecdh, header.HasDh ? header.Dh.ToArray() : null);
        _root.Span.CopyTo(next.Root.Span);
        _brace.Span.CopyTo(next.Brace.Span);
        Rotate(_ourEcdh, ecdh, header.HasDh ? _ourDh : null, header.Dh, next.Root.Span, next.Brace.Span, next.Chain.Span);
        var keys = KeysAt(next.Chain.Span, 0, header.MessageId);
        candidate = new Candidate(header.RatchetId, header.MessageId, keys) { New = next };
        return RatchetFault.None;
    }

    /// <summary>
    /// The keys of message <paramref name="to"/> of a chain that stands at <paramref name="from"/>; those between are not derived yet.
    /// </summary>
    private static MessageKeys KeysAt(ReadOnlySpan<byte> chain, uint from, uint to)
    {
        using var copy = new SecretBytes(chain);
        for (uint n = from; n < to; n++) MessageKeys.Advance(copy.Span);
        return MessageKeys.Derive(copy.Span);
    }

    /// <summary>
    /// Takes a candidate over whose message's MAC has verified: stores the keys of the messages before it that did not come, moves on, and
    /// keeps its MAC key to be revealed.
    /// </summary>
    /// <param name="now">In ms.</param>
    public void Commit(Candidate candidate, long now)
    {
        if (candidate.IsStored)
        {
            _skipped.Take(candidate.Ratchet, candidate.Message);
            candidate.IsStored = false;
            Reveal(candidate.Keys);
        }
        else
        {
            if (candidate.New is { } next) TakeOver(next, candidate.Ratchet, now);
            StoreUntil(candidate.Ratchet, candidate.Message, now);
            MessageKeys.Advance(_receivingChain.Span);
            Received++;
            // otr4j puts the first one of a ratchet before those of the previous one; the order says nothing.
            Reveal(candidate.Keys, first: candidate.New is not null);
        }
        Expire(now);
    }

    /// <summary>Drops the keys of messages that are not waited for any longer, and keeps their MAC keys to be revealed.</summary>
    /// <param name="now">In ms.</param>
    public void Expire(long now) => _skipped.Expire(now, RevealAndDispose);

    private void TakeOver(NewRatchet next, uint id, long now)
    {
        if (_receivingId is { } previous) StoreUntil(previous, next.PreviousCount, now);
        next.Root.Span.CopyTo(_root.Span);
        next.Brace.Span.CopyTo(_brace.Span);
        next.Chain.Span.CopyTo(_receivingChain.Span);
        _theirEcdh = next.Ecdh;
        _ourEcdh.Dispose();
        if (next.Dh is not null)
        {
            _theirDh = next.Dh;
            _ourDh.Dispose();
        }
        Received = 0;
        _receivingId = id;
        Rotations++;
        _sendingRotationDue = true;
    }

    private void StoreUntil(uint ratchet, uint end, long now)
    {
        for (; Received < end; Received++)
        {
            _skipped.Add(ratchet, Received, MessageKeys.Derive(_receivingChain.Span), now, RevealAndDispose);
            MessageKeys.Advance(_receivingChain.Span);
        }
    }

    private void RevealAndDispose(MessageKeys keys)
    {
        Reveal(keys);
        keys.Dispose();
    }

    private void Reveal(MessageKeys keys, bool first = false)
    {
        var mac = new SecretBytes(keys.Mac);
        if (first) _reveals.AddFirst(mac);
        else _reveals.AddLast(mac);
        if (_reveals.Count <= OtrLimits.MaxPendingReveals) return;
        var surplus = first ? _reveals.Last! : _reveals.First!;
        surplus.Value.Dispose();
        _reveals.Remove(surplus);
    }
}
