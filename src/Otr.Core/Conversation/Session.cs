using Otr.Core.Smp;
using Otr.Core.V3.Ake;
using Otr.Core.V4.Dake;

namespace Otr.Core;

/// <summary>What stands between us and one instance of the peer; in version 2 there is one, with tag 0.</summary>
internal sealed class Session(uint peerTag) : IDisposable
{
    // Room for version 4 is taken when a first message of it comes.
    private PendingExchange[] _exchanges = [new AuthContext()];
    private SessionInfo? _info;

    public uint PeerTag { get; } = peerTag;
    /// <summary>The key exchange of version 2 or 3 in progress with this instance.</summary>
    public AuthContext Auth
    {
        get => (AuthContext)_exchanges[0];
        set => _exchanges[0] = value;
    }
    /// <summary>The key exchange of version 4 in progress with this instance.</summary>
    public DakeContext Dake
    {
        get
        {
            if (_exchanges.Length == 1) Dake = new DakeContext();
            return (DakeContext)_exchanges[1];
        }
        set => _exchanges = [_exchanges[0], value];
    }
    /// <summary>The key exchanges with this instance, of all versions.</summary>
    public ReadOnlySpan<PendingExchange> Exchanges => _exchanges;

    /// <summary>A key exchange is under way.</summary>
    public bool IsExchanging
    {
        get
        {
            foreach (var exchange in _exchanges)
            {
                if (exchange.IsUnderWay) return true;
            }
            return false;
        }
    }

    /// <summary>A key exchange of a higher version than this one is under way.</summary>
    public bool IsExchangingAbove(byte version)
    {
        foreach (var exchange in _exchanges)
        {
            if (exchange.IsUnderWay && exchange.Version > version) return true;
        }
        return false;
    }

    /// <summary>When a key exchange last moved, Unix ms.</summary>
    public long ExchangeTouched => _exchanges.Max(e => e.Touched);
    public MessageState State { get; set; }
    /// <summary>Of the last completed key exchange; 0 before.</summary>
    public byte Version { get; set; }
    /// <summary>Set exactly while ENCRYPTED.</summary>
    public SessionProtocol? Protocol { get; set; }
    /// <summary>Null unless ENCRYPTED.</summary>
    public SmpState? Smp => Protocol?.Smp;
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
        return _info = new SessionInfo(State, Version, PeerTag == 0 ? 0 : ownTag, PeerTag, Peer, Ssid, FirstHalfBold);
    }

    /// <summary>Leaves ENCRYPTED (or FINISHED): the keys are wiped.</summary>
    public void Close(MessageState state)
    {
        State = state;
        Protocol?.Dispose();
        Protocol = null;
        foreach (var exchange in _exchanges) exchange.Reset();
        SetLast(null);
    }

    public void Dispose()
    {
        Protocol?.Dispose();
        foreach (var exchange in _exchanges) exchange.Dispose();
        SetLast(null);
    }
}
