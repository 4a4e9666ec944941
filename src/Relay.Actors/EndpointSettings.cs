using Otr.Core;
using Relay.Actors.Subscriptions;

namespace Relay.Actors;

/// <summary>
/// The form of texts in private sessions: Pidgin, Adium and others write and read HTML there. Text in the clear always leaves and comes as
/// it is.
/// </summary>
public enum TextFormat : byte
{
    /// <summary>Each text that is HTML is read as such; texts are sent as HTML once the peer has shown that it writes HTML.</summary>
    Auto,
    /// <summary>Texts are sent and delivered as they are.</summary>
    Plain,
    /// <summary>Texts are HTML, whatever they look like.</summary>
    Html,
}

/// <summary>What the owner of an endpoint chooses, and may change at any time. Conversations follow with their next message.</summary>
public sealed record EndpointSettings
{
    /// <summary>For people; empty if none was chosen.</summary>
    public string DisplayName { get; init; } = "";

    public OtrPolicy Policy { get; init; } = OtrPolicy.Managed;

    /// <summary>Longest wire text that the network takes, in bytes; longer ones leave in fragments. 0: no limit.</summary>
    public int MaxWireBytes { get; init; }

    /// <summary>The network's messages are lines, as IRC's are: text in the clear leaves as one message for each line.</summary>
    public bool SingleLine { get; init; }

    /// <summary>
    /// Text after an OTR query, for people whose client has no OTR, in their language; null: the default, in English. Empty: none.
    /// </summary>
    public string? QueryText { get; init; }

    /// <summary>False: an offer of a private session is not answered that comes unasked from a peer with whom none has been.</summary>
    public bool AnswersStrangers { get; init; } = true;

    /// <summary>What is done when a peer shows another key than before.</summary>
    public KeyChangeAction KeyChange { get; init; }

    public TrustRequirement TrustRequirement { get; init; }

    /// <summary>Plaintexts are padded to a multiple of this many bytes; 0: no padding.</summary>
    public int PaddingBlock { get; init; }

    /// <summary>What peers write and read in private sessions.</summary>
    public TextFormat TextFormat { get; init; }

    /// <summary>Idle time after which a private session is ended and wiped; zero: never.</summary>
    public TimeSpan SessionIdleLife { get; init; } = TimeSpan.FromDays(14);

    /// <summary>Time to answer a verification that a peer began; zero: it is declined at once.</summary>
    public TimeSpan VerificationAnswerTime { get; init; } = RelayLimits.VerificationAnswerTime;

    /// <summary>
    /// Answers the verifications that peers begin, unless their conversation has a secret of its own; null: the bot is asked.
    /// </summary>
    public SmpSecret? AnswerSecret { get; init; }

    /// <summary>Whether events go to the endpoint's own stream too, and not only to its subscriptions.</summary>
    public bool HasOwnEventStream { get; init; } = true;

    public SubscriptionList Subscriptions { get; init; } = SubscriptionList.Empty;

    /// <summary>Prints the type only: names and texts stay out of logs.</summary>
    public override string ToString() => nameof(EndpointSettings);

    /// <summary>Converts them to the settings of the protocol engine.</summary>
    internal OtrSettings ToOtr()
    {
        var settings = new OtrSettings
        {
            Policy = Policy, MaxWireBytes = MaxWireBytes, SingleLine = SingleLine, AnswersStrangers = AnswersStrangers,
            KeyChange = KeyChange, TrustRequirement = TrustRequirement, PaddingBlock = PaddingBlock,
            SessionIdleLifetime = (long)SessionIdleLife.TotalMilliseconds,
            SmpAnswerLifetime = (long)VerificationAnswerTime.TotalMilliseconds,
        };
        return QueryText is null ? settings : settings with { QueryText = QueryText };
    }
}
