using System.Security.Cryptography;
using Otr.Core.Crypto;
using Otr.Core.Crypto.Ed448;
using Otr.Core.V4.Ratchet;
using Otr.Core.Wire;

namespace Otr.Core.V4.Dake;

/// <summary>A DAKE in progress: BYTE what is there; if anything, when it was touched, who has answered, and the parts.</summary>
internal static class DakeSnapshot
{
    private const byte HasIdentity = 1, HasAnswer = 2;

    public static void Write(ref OtrWriter w, DakeContext dake)
    {
        w.Byte((byte)((dake.Identity is null ? 0 : HasIdentity) | (dake.Answer is null ? 0 : HasAnswer)));
        if (!dake.IsUnderWay) return;
        w.UInt64((ulong)dake.Touched);
        w.Byte(dake.IsAnswered ? (byte)dake.Answers.Count : (byte)0);
        if (dake.IsAnswered)
        {
            foreach (var answer in dake.Answers)
            {
                w.UInt32(answer.PeerTag);
                w.UInt64(answer.KeyHash);
            }
        }
        if (dake.Identity is { } identity)
        {
            Write(ref w, identity.Keys.Ecdh);
            Write(ref w, identity.Keys.Dh);
            Write(ref w, identity.Keys.FirstEcdh);
            Write(ref w, identity.Keys.FirstDh);
            w.Data(identity.Profile);
            w.Data(identity.Message);
        }
        if (dake.Answer is not { } sent) return;
        w.Data(sent.Message);
        w.Raw(sent.Answered);
        w.Data(sent.Transcript);
        foreach (var key in sent.Ring) w.Raw(key.Encoding);
        w.Fingerprint(sent.Peer);
        w.UInt64(sent.Ssid);
        w.Raw(sent.FirstRoot.Span);
        Write(ref w, sent.FirstEcdh);
        Write(ref w, sent.FirstDh);
        w.Raw(sent.PeerFirstEcdh.Encoding);
        w.Raw(sent.PeerFirstDh);
        w.Byte((byte)sent.Early.Count);
        foreach (var early in sent.Early) w.Data(early);
    }

    public static bool TryRead(ref OtrReader r, DakeContext dake)
    {
        var parts = r.ReadByte();
        if (r.Failed || parts > (HasIdentity | HasAnswer)) return false;
        if (parts == 0) return true;
        var touched = (long)r.ReadUInt64();
        var answers = new List<ExchangeAnswer>();
        for (var n = r.ReadByte(); n > 0 && !r.Failed; n--) answers.Add(new ExchangeAnswer(r.ReadUInt32(), r.ReadUInt64()));
        if (answers.Count > OtrLimits.MaxCommitAnswers) return false;
        if ((parts & HasIdentity) != 0)
        {
            if (ReadIdentity(ref r) is not { } identity) return false;
            dake.Begin(identity, touched);
            if (answers.Count > 0) dake.Answers.AddRange(answers);
        }
        if ((parts & HasAnswer) != 0)
        {
            if (ReadAnswer(ref r) is not { } answer) return false;
            dake.Reply(answer, touched);
        }
        return !r.Failed;
    }

    private static SentIdentity? ReadIdentity(ref OtrReader r)
    {
        Ed448KeyPair? ecdh = ReadEcdh(ref r);
        Dh3072KeyPair? dh = ReadDh(ref r);
        Ed448KeyPair? firstEcdh = ReadEcdh(ref r);
        Dh3072KeyPair? firstDh = ReadDh(ref r);
        byte[] profile = r.ReadData().ToArray(), message = r.ReadData().ToArray();
        return r.Failed ? null : new SentIdentity(new DakeKeys(ecdh!, dh!, firstEcdh!, firstDh!), profile, message);
    }

    private static SentAuthR? ReadAnswer(ref OtrReader r)
    {
        byte[] message = r.ReadData().ToArray(), answered = r.ReadFixed(SHA256.HashSizeInBytes).ToArray();
        var transcript = r.ReadData().ToArray();
        var ring = new Ed448Point[RingSignature.Ring];
        for (int i = 0; i < ring.Length; i++) ring[i] = ReadPoint(ref r);
        var peer = r.ReadFingerprint(Fingerprint.Ed448Size);
        var ssid = r.ReadUInt64();
        var root = r.ReadFixed(MessageKeys.KeySize);
        Ed448KeyPair? firstEcdh = ReadEcdh(ref r);
        Dh3072KeyPair? firstDh = ReadDh(ref r);
        var peerEcdh = ReadPoint(ref r);
        var peerDh = r.ReadFixed(Group3072.ElementSize).ToArray();
        if (r.Failed || !Group3072.IsElement(peerDh)) return null;
        var answer = new SentAuthR
        {
            Message = message, Answered = answered, Transcript = transcript, Ring = ring, Peer = peer, Ssid = ssid,
            FirstRoot = new SecretBytes(root), FirstEcdh = firstEcdh!, FirstDh = firstDh!, PeerFirstEcdh = peerEcdh, PeerFirstDh = peerDh,
        };
        for (var n = r.ReadByte(); n > 0 && !r.Failed; n--)
        {
            if (!answer.TryHold(r.ReadData())) r.Fail();
        }
        return answer;
    }

    private static void Write(ref OtrWriter w, Ed448KeyPair pair)
    {
        pair.Secret.Encode(w.Reserve(Ed448Scalar.Size));
        w.Raw(pair.Public.Encoding);
    }

    private static void Write(ref OtrWriter w, Dh3072KeyPair pair)
    {
        w.Raw(pair.Private);
        w.Raw(pair.Public);
    }

    private static Ed448KeyPair? ReadEcdh(ref OtrReader r)
    {
        var secret = r.ReadFixed(Ed448Scalar.Size);
        var point = ReadPoint(ref r);
        return r.Failed ? null : Ed448KeyPair.Restore(secret, point);
    }

    private static Dh3072KeyPair? ReadDh(ref OtrReader r)
    {
        ReadOnlySpan<byte> @private = r.ReadFixed(Group3072.ExponentSize), @public = r.ReadFixed(Group3072.ElementSize);
        return r.Failed ? null : Dh3072KeyPair.Restore(@private, @public);
    }

    private static Ed448Point ReadPoint(ref OtrReader r)
    {
        if (Ed448Point.TryDecode(r.ReadFixed(Ed448Point.Size), out var point)) return point;
        r.Fail();
        return Ed448Point.Base;
    }
}
