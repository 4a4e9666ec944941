using System.Buffers;
using System.Text;
using Otr.Core.V3.Ake;
using Otr.Core.V4.Dake;
using Otr.Core.Wire;

namespace Otr.Core;

/// <summary>
/// A conversation as bytes. Format version 5 for accounts with an identity of version 4, else 4: the same without what only version 4 has
/// (version 3 had no latest key and fewer times, version 2 no trust levels, version 1 no
/// last text of a session): version BYTE; the account's instance tag INT and fingerprints (20, and 56 if it has one),
/// which must be those of the account it is restored for, or a former DSA key's of that account; then the parts in the order below,
/// counts as BYTE. A reader takes any version up to its own and refuses
/// everything that does not fit exactly.
/// </summary>
internal static class ConversationSnapshot
{
    /// <summary>Of an account that speaks versions 2 and 3 only.</summary>
    private const byte FormatVersion = 4;

    /// <summary>Of an account with an identity of version 4.</summary>
    private const byte FormatOfVersion4 = 5;

    /// <summary>In place of the length of a trust label, which only an accepted key can have.</summary>
    private const byte HeldKey = 254, RefusedKey = 255;

    public static void Write(ConversationState state, IBufferWriter<byte> destination)
    {
        var w = new OtrWriter(2048);
        try
        {
            var format = state.Account.Identity is null ? FormatVersion : FormatOfVersion4;
            w.Byte(format);
            w.UInt32(state.Account.InstanceTag);
            w.Fingerprint(state.Account.Key.PublicKey.Fingerprint);
            if (state.Account.Identity is { } identity) w.Fingerprint(identity.Fingerprint);

            w.Byte(state.PinnedVersion);
            w.Byte((byte)state.Offer);
            w.OptionalTime(state.LastQuery);
            w.OptionalTime(state.LastError);
            w.OptionalTime(state.LastOtherInstance);
            w.OptionalTime(state.CutAt);
            w.Byte(state.CutLength);
            w.Flag(state.WantsPrivacy);
            w.OptionalTime(state.RetryAt);
            w.Byte((byte)state.RetriesLeft);
            WriteBucket(ref w, state.AkeBudget);
            WriteBucket(ref w, state.SmpBudget);

            w.Byte((byte)state.Known.Count);
            foreach (var known in state.Known) WriteKnown(ref w, format, known);
            w.OptionalFingerprint(state.LatestKey);
            AuthSnapshot.Write(ref w, state.Broadcast);
            if (format >= FormatOfVersion4) DakeSnapshot.Write(ref w, state.BroadcastDake);
            w.Byte((byte)state.Sessions.Count);
            foreach (var session in state.Sessions) SessionSnapshot.Write(ref w, format, session);
            w.Byte((byte)state.Fragments.Count);
            foreach (var buffer in state.Fragments) WriteFragments(ref w, buffer);
            if (format >= FormatOfVersion4)
            {
                w.Byte((byte)state.FragmentSets.Count);
                foreach (var set in state.FragmentSets) WriteFragments(ref w, set);
            }
            w.Byte((byte)state.Held.Count);
            foreach (var held in state.Held) WriteHeld(ref w, held);

            destination.Write(w.Written);
        }
        finally { w.Dispose(); }
    }

    /// <summary>Null if anything does not fit.</summary>
    public static ConversationState? TryRead(ReadOnlySpan<byte> bytes, OtrAccount account, OtrSettings settings)
    {
        var r = new OtrReader(bytes);
        var version = r.ReadByte();
        if (version is 0 or > FormatOfVersion4 || r.ReadUInt32() != account.InstanceTag) return null;
        var key = r.ReadFingerprint(Fingerprint.DsaSize);
        var isOfFormerKey = key != account.Key.PublicKey.Fingerprint;
        if (r.Failed || (isOfFormerKey && !account.FormerKeys.Contains(key))) return null;
        if (version >= FormatOfVersion4 && r.ReadFingerprint(Fingerprint.Ed448Size) != account.Identity?.Fingerprint) return null;

        var state = new ConversationState(account, settings)
        {
            IsOfFormerKey = isOfFormerKey,
            PinnedVersion = r.ReadByte(),
            Offer = (OfferState)r.ReadByte(),
            LastQuery = r.ReadOptionalTime(),
            LastError = r.ReadOptionalTime(),
            LastOtherInstance = version >= 4 ? r.ReadOptionalTime() : null,
            CutAt = version >= 4 ? r.ReadOptionalTime() : null,
            CutLength = version >= 4 ? r.ReadByte() : (byte)0,
            WantsPrivacy = version >= 4 && r.ReadFlag(),
            RetryAt = r.ReadOptionalTime(),
            RetriesLeft = r.ReadByte(),
        };
        ReadBucket(ref r, state.AkeBudget);
        ReadBucket(ref r, state.SmpBudget);
        for (var n = r.ReadByte(); n > 0 && !r.Failed; n--) state.Known.Add(ReadKnown(ref r, version));
        // Up to version 3 the latest seen was the last of those known.
        if (version >= 4) state.LatestKey = r.ReadOptionalFingerprint();
        else if (state.Known.Count > 0) state.LatestKey = state.Known[^1].Fingerprint;
        var fits = AuthSnapshot.TryRead(ref r, state.Broadcast);
        if (version >= FormatOfVersion4) fits = fits && DakeSnapshot.TryRead(ref r, state.BroadcastDake);
        for (var n = r.ReadByte(); n > 0 && fits && !r.Failed; n--) fits = SessionSnapshot.TryRead(ref r, version, state);
        for (var n = r.ReadByte(); n > 0 && fits && !r.Failed; n--) fits = TryReadFragments(ref r, state.Fragments);
        if (version >= FormatOfVersion4)
        {
            for (var n = r.ReadByte(); n > 0 && fits && !r.Failed; n--) fits = TryReadFragments(ref r, state.FragmentSets);
        }
        for (var n = r.ReadByte(); n > 0 && fits && !r.Failed; n--) ReadHeld(ref r, state.Held);

        fits &= r.IsComplete && state.Offer <= OfferState.Accepted && state.Known.Count <= OtrLimits.MaxKnownFingerprints
            && state.Sessions.Count(x => x.IsPrivate) <= OtrLimits.MaxInstances
            && state.Sessions.Count(x => !x.IsPrivate) <= OtrLimits.MaxPendingExchanges
            && state.Held.Count <= OtrLimits.MaxHeldMessages && state.Fragments.Count <= OtrLimits.MaxInstances
            && state.FragmentSets.Count <= OtrLimits.MaxFragmentSets;
        if (fits) return state;
        state.Dispose();
        return null;
    }

    private static void WriteKnown(ref OtrWriter w, byte format, KnownKey known)
    {
        w.Fingerprint(known.Fingerprint, format);
        if (known.Standing != KeyStanding.Accepted)
        {
            w.Byte(known.Standing == KeyStanding.Held ? HeldKey : RefusedKey);
            return;
        }
        var label = Encoding.UTF8.GetBytes(known.Trust.Label);
        w.Byte((byte)label.Length);
        w.Raw(label);
    }

    private static KnownKey ReadKnown(ref OtrReader r, byte version)
    {
        var fingerprint = r.ReadFingerprint(version);
        if (version < 3) return new KnownKey(fingerprint, TrustLevel.Untrusted);
        return r.ReadByte() switch
        {
            HeldKey => new KnownKey(fingerprint, TrustLevel.Untrusted) { Standing = KeyStanding.Held },
            RefusedKey => new KnownKey(fingerprint, TrustLevel.Untrusted) { Standing = KeyStanding.Refused },
            var length => new KnownKey(fingerprint, new TrustLevel(Encoding.UTF8.GetString(r.ReadFixed(length)))),
        };
    }

    private static void WriteBucket(ref OtrWriter w, TokenBucket bucket)
    {
        w.Byte((byte)bucket.Used);
        w.UInt64((ulong)bucket.Since);
    }

    private static void ReadBucket(ref OtrReader r, TokenBucket bucket) => bucket.Restore(r.ReadByte(), (long)r.ReadUInt64());

    private static void WriteFragments(ref OtrWriter w, FragmentBuffer buffer)
    {
        w.Byte(buffer.Version);
        w.UInt32(buffer.SenderTag);
        w.UInt16(buffer.Held);
        w.UInt16(buffer.Count);
        w.UInt64((ulong)buffer.Touched);
        w.Data(buffer.Text);
    }

    private static bool TryReadFragments(ref OtrReader r, List<FragmentBuffer> buffers)
    {
        var buffer = new FragmentBuffer(r.ReadByte(), r.ReadUInt32());
        ushort held = r.ReadUInt16(), count = r.ReadUInt16();
        var touched = (long)r.ReadUInt64();
        var text = r.ReadData();
        if (r.Failed || held == 0 || held >= count || text.Length > OtrLimits.MaxWireBytes) return false;
        buffer.Restore(held, count, text, touched);
        buffers.Add(buffer);
        return true;
    }

    private static void WriteFragments(ref OtrWriter w, FragmentSet set)
    {
        w.UInt32(set.SenderTag);
        w.UInt32(set.Identifier);
        w.UInt16(set.Count);
        w.UInt64((ulong)set.Since);
        w.UInt16((ushort)set.Held);
        foreach (var (index, piece) in set.Pieces)
        {
            w.UInt16(index);
            w.Data(piece);
        }
    }

    private static bool TryReadFragments(ref OtrReader r, List<FragmentSet> sets)
    {
        var set = new FragmentSet(r.ReadUInt32(), r.ReadUInt32(), r.ReadUInt16(), (long)r.ReadUInt64());
        for (int n = r.ReadUInt16(); n > 0; n--)
        {
            var index = r.ReadUInt16();
            var piece = r.ReadData();
            if (r.Failed || index == 0 || index > set.Count || !set.TryAdd(index, piece, OtrLimits.MaxWireBytes - set.Length)) return false;
        }
        sets.Add(set);
        return !r.Failed && set.Held > 0 && !set.IsComplete;
    }

    private static void WriteHeld(ref OtrWriter w, HeldMessage held)
    {
        w.UInt64(held.Reference);
        w.UInt64((ulong)held.Since);
        w.OptionalFingerprint(held.For);
        w.Data(held.Text);
    }

    private static void ReadHeld(ref OtrReader r, List<HeldMessage> held)
    {
        var reference = r.ReadUInt64();
        var since = (long)r.ReadUInt64();
        var meant = r.ReadOptionalFingerprint();
        held.Add(new HeldMessage(r.ReadData().ToArray(), reference, since, meant));
    }
}
