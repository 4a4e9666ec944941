using Otr.Core.Crypto;
using Otr.Core.Wire;

namespace Otr.Core.V3.Ake;

/// <summary>A key exchange in progress: state BYTE, and if it is not NONE the fields that its state has.</summary>
internal static class AuthSnapshot
{
    public static void Write(ref OtrWriter w, AuthContext auth)
    {
        w.Byte((byte)auth.State);
        if (auth.State == AuthState.None) return;
        w.Byte(auth.Version);
        w.UInt64((ulong)auth.Touched);
        w.Byte((byte)auth.Answers.Count);
        foreach (var answer in auth.Answers)
        {
            w.UInt32(answer.PeerTag);
            w.UInt64(answer.KeyHash);
        }
        WritePair(ref w, auth.Own!);
        w.Data(auth.Sent);
        switch (auth.State)
        {
            case AuthState.AwaitingDhKey:
                w.Raw(auth.R!.Span);
                w.Raw(auth.HashedGx);
                break;
            case AuthState.AwaitingRevealSig:
                w.Raw(auth.HashedGx);
                w.Data(auth.EncryptedGx);
                break;
            case AuthState.AwaitingSig:
                w.Raw(auth.PeerPublic);
                w.UInt64(auth.Keys!.Ssid);
                w.Raw(auth.Keys.Raw);
                w.Raw(auth.DataKeys!.Raw);
                break;
        }
    }

    public static bool TryRead(ref OtrReader r, AuthContext auth)
    {
        var state = (AuthState)r.ReadByte();
        if (r.Failed || state > AuthState.AwaitingSig) return false;
        if (state == AuthState.None) return true;
        var version = r.ReadByte();
        var touched = (long)r.ReadUInt64();
        for (var n = r.ReadByte(); n > 0 && !r.Failed; n--) auth.Answers.Add(new ExchangeAnswer(r.ReadUInt32(), r.ReadUInt64()));
        auth.Own = ReadPair(ref r);
        auth.Sent = r.ReadData().ToArray();
        switch (state)
        {
            case AuthState.AwaitingDhKey:
                auth.R = new SecretBytes(r.ReadFixed(RevealSignatureMessage.KeyLength));
                auth.HashedGx = r.ReadFixed(DhCommitMessage.HashLength).ToArray();
                break;
            case AuthState.AwaitingRevealSig:
                auth.HashedGx = r.ReadFixed(DhCommitMessage.HashLength).ToArray();
                auth.EncryptedGx = r.ReadData().ToArray();
                if (auth.EncryptedGx.Length > DhCommitMessage.MaxEncryptedLength) return false;
                break;
            case AuthState.AwaitingSig:
                auth.PeerPublic = r.ReadFixed(Group1536.ElementSize).ToArray();
                var ssid = r.ReadUInt64();
                var keys = r.ReadFixed(AkeKeys.RawLength);
                var dataKeys = r.ReadFixed(2 * SessionKeys.AesKeyLength);
                if (r.Failed) return false;
                auth.Keys = AkeKeys.Restore(ssid, keys);
                auth.DataKeys = SessionKeys.Restore(dataKeys, 0, 0, false);
                break;
        }
        auth.Enter(state, version, touched);
        return !r.Failed && version is 2 or 3 && auth.Answers.Count <= OtrLimits.MaxCommitAnswers;
    }

    public static void WritePair(ref OtrWriter w, DhKeyPair pair)
    {
        w.Raw(pair.Private);
        w.Raw(pair.Public);
    }

    public static DhKeyPair? ReadPair(ref OtrReader r)
    {
        ReadOnlySpan<byte> @private = r.ReadFixed(DhKeyPair.PrivateLength), @public = r.ReadFixed(Group1536.ElementSize);
        return r.Failed ? null : DhKeyPair.Restore(@private, @public);
    }
}
