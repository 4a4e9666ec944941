using Otr.Core.Ake;
using Otr.Core.Ratchet;
using Otr.Core.Smp;

namespace Otr.Core;

/// <summary>What stands between us and one instance of the peer; in version 2 there is one, with tag 0.</summary>
internal sealed class Session(uint peerTag) : IDisposable
{
    private SessionInfo? _info;

    public uint PeerTag { get; } = peerTag;
    /// <summary>The key exchange in progress with this instance.</summary>
    public AuthContext Auth { get; set; } = new();
    public MessageState State { get; set; }
    /// <summary>Of the last completed key exchange; 0 before.</summary>
    public byte Version { get; set; }
    /// <summary>Set exactly while ENCRYPTED.</summary>
    public KeyRing? Keys { get; set; }
    public SmpState Smp { get; set; } = new();
    /// <summary>Unix ms of the peer's SMP request, while it waits for our answer.</summary>
    public long SmpAskedAt { get; set; }
    public Fingerprint? Peer { get; set; }
    public ulong Ssid { get; set; }
    public bool FirstHalfBold { get; set; }
    /// <summary>Unix ms of the last data message sent, for heartbeats.</summary>
    public long LastSent { get; set; }
    /// <summary>Unix ms of the last authenticated message, or of the key exchange.</summary>
    public long LastReceived { get; set; }
    /// <summary>Unix ms of the last data message of this session; null before the first.</summary>
    public long? LastText { get; set; }

    /// <summary>A key exchange has completed, and the user has not ended the session.</summary>
    public bool IsPrivate => State != MessageState.Plaintext;

    /// <summary>The last text sent, if the settings want it kept.</summary>
    public SentText? Last { get; private set; }

    /// <summary>Replaces <see cref="Last"/> and wipes what it held.</summary>
    public void SetLast(SentText? text)
    {
        Last?.Wipe();
        Last = text;
    }

    /// <summary>What may be told of it; the same object until something of it changes, for every message speaks of it.</summary>
    public SessionInfo Info(uint ownTag)
    {
        if (_info is { } known && known.State == State && known.Ssid == Ssid && known.Version == Version) return known;
        return _info = new SessionInfo(State, Version, Version == 2 ? 0 : ownTag, PeerTag, Peer, Ssid, FirstHalfBold);
    }

    /// <summary>Leaves ENCRYPTED (or FINISHED): the keys are wiped.</summary>
    public void Close(MessageState state)
    {
        State = state;
        Keys?.Dispose();
        Keys = null;
        Smp.Reset();
        Auth.Reset();
        SetLast(null);
    }

    public void Dispose()
    {
        Keys?.Dispose();
        Smp.Dispose();
        Auth.Dispose();
        SetLast(null);
    }
}
