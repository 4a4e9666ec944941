using Grpc.Core;
using Relay.Gateway.Api;
using Relay.Gateway.Hosting;

namespace Relay.Gateway.WebConsole.Pages;

/// <summary>Peers whose key has changed, with the decision at hand.</summary>
internal static class TrustPage
{
    private const string Section = "/trust", Decision = "decision";

    public static async Task<ConsoleReply> ShowAsync(Visit visit)
    {
        visit.Session.Survey ??= new Survey(visit.Session, visit.Api, visit.Time);
        var survey = await visit.Session.Survey.LookAsync(visit.Http.RequestAborted);
        var more = survey is { } s && s.Held > GatewayLimits.ConsoleRows
            ? Markup.Of($"""<p class="hint">{s.Held} peers wait in all; decide about these, and the next come.</p>""") : Markup.Empty;
        return new ConsoleReply.Page("Trust", Section, Markup.Of($"""
            {await CardAsync(visit, survey, GatewayLimits.ConsoleRows)}{more}
            <p class="hint">Compare the fingerprint with the peer by another way than the chat: face to face, by telephone, on paper. Where an endpoint's policy does not hold changed keys (<code>key_change = HOLD</code>), none wait here.</p>
            """));
    }

    /// <summary>The keys that wait for a decision; nothing for a caller who may not see conversations.</summary>
    public static async Task<Markup> CardAsync(Visit visit, SurveyFindings? survey, int most)
    {
        if (!visit.May("IdentityService/ListIdentities")) return Markup.Empty;
        var rows = new List<Markup>();
        foreach (var conversation in (survey?.HeldKeys ?? []).Take(most))
        {
            if (await DecisionAsync(visit, conversation) is { } row) rows.Add(row);
        }
        var text = survey is null ? "The endpoints are being looked through. Refresh in a moment." : "No peer's key waits for a decision.";
        return Parts.Card("Keys that changed", most > 10 ? Parts.Aside("text to them is held") : Parts.Link(Section, "Trust"),
            rows.Count == 0 ? Markup.Of($"""<p class="sub">{text}</p>""") : Markup.Of($"""<ul class="decide">{rows}</ul>"""));
    }

    public static async Task<ConsoleReply> DecideAsync(Visit visit, string endpoint, string conversation, string fingerprint)
    {
        var name = $"{ResourceNames.Conversation(endpoint, conversation)}/identities/{fingerprint}";
        var decision = visit.Fields[Decision].ToString();
        switch (decision)
        {
            case "verify" or "distrust":
                await visit.CallAsync(visit.Api.Identities.UpdateIdentity, new V1.UpdateIdentityRequest
                {
                    RequestId = visit.RequestId, UpdateMask = new() { Paths = { "trust" } },
                    Identity = new V1.Identity { Name = name, Trust = decision == "verify" ? V1.Trust.Verified : V1.Trust.Unverified },
                });
                visit.Session.Tell(decision == "verify" ? "The key is verified." : "The key is not verified any more.");
                break;
            case "accept":
                await visit.CallAsync(visit.Api.Identities.AcceptIdentity, new V1.AcceptIdentityRequest { RequestId = visit.RequestId, Name = name });
                visit.Session.Tell("The key is accepted, and not verified.");
                break;
            case "refuse":
                await visit.CallAsync(visit.Api.Identities.RefuseIdentity, new V1.RefuseIdentityRequest { RequestId = visit.RequestId, Name = name });
                visit.Session.Tell("The key is refused: its sessions end, and messages that were held for it are dropped.");
                break;
            default:
                throw ApiErrors.InvalidArgument(Decision, "must be verify, distrust, accept or refuse");
        }
        // What was found before still has this key.
        visit.Session.Survey?.Apply(found => found.Without(ResourceNames.Conversation(endpoint, conversation)));
        return new ConsoleReply.SeeOther(visit.Fields["from"] == "conversation" ? $"/endpoints/{endpoint}/conversations/{conversation}" : Section);
    }

    /// <summary>The buttons that decide about a key; nothing for a caller who may not.</summary>
    /// <param name="from">Where the decision leads back: trust or conversation.</param>
    public static Markup Buttons(Visit visit, V1.Identity identity, string from, string text)
    {
        if (!visit.May("IdentityService/AcceptIdentity")) return Markup.Of($"""<p class="sub">{text} A key of scope trust decides.</p>""");
        bool isHeld = identity.Standing == V1.Identity.Types.Standing.Held, isRefused = identity.Standing == V1.Identity.Types.Standing.Refused;
        bool isVerified = identity.Trust == V1.Trust.Verified;
        // Buttons are many on a page: their names say of which key.
        var which = $" {identity.Fingerprint[..8].ToUpperInvariant()}";
        return visit.Form("/" + identity.Name, Markup.Of($"""
            <input type="hidden" name="from" value="{from}">{(text.Length > 0 ? Markup.Of($"<p>{text}</p>") : Markup.Empty)}{(isVerified ? Button("quiet", "distrust", "Not verified any more") : Button("", "verify", "I have verified it"))}{(isHeld || isRefused ? Button("quiet", "accept", "Accept unverified") : Markup.Empty)}{(isRefused ? Markup.Empty : Button("quiet", "refuse", "Refuse"))}
            """));

        Markup Button(string style, string value, string label) => Markup.Of(
            $"""<button class="{style}" name="{Decision}" value="{value}">{label}<span class="skip"> {which}</span></button>""");
    }

    /// <summary>Null: the key does not wait any more.</summary>
    private static async Task<Markup?> DecisionAsync(Visit visit, V1.Conversation conversation)
    {
        V1.ListIdentitiesResponse identities;
        try
        {
            identities = await visit.CallAsync(visit.Api.Identities.ListIdentities, new V1.ListIdentitiesRequest { Parent = conversation.Name });
        }
        catch (RpcException e) when (e.StatusCode is StatusCode.NotFound or StatusCode.DataLoss or StatusCode.FailedPrecondition)
        {
            return null;
        }
        var held = identities.Identities.LastOrDefault(i => i.Standing == V1.Identity.Types.Standing.Held);
        if (held is null) return null;
        var before = identities.Identities.LastOrDefault(i => i != held && i.Standing == V1.Identity.Types.Standing.Accepted);
        var text = (before?.Trust == V1.Trust.Verified ? "The old key was verified. " : before is null ? "" : "The old key never was verified. ")
            + (conversation.HeldMessages > 0 ? $"{Parts.Count(conversation.HeldMessages, "message")} to it {(conversation.HeldMessages == 1 ? "is" : "are")} held." : "Text to it is held.");
        return Markup.Of($"""
            <li><div class="hd"><b>{Markup.Foreign(conversation.Peer)}</b><span>{Parts.Link("/" + conversation.Name, conversation.Name.Split('/')[1])} · {Parts.Time(held.FirstSeenTime, visit.Now)}</span></div>{(before is null ? Markup.Empty : Markup.Of($"""<p class="fp"><span>was</span>{Parts.Fingerprint(before.Fingerprint)}</p>"""))}<p class="fp"><span>now</span>{Parts.Fingerprint(held.Fingerprint)}</p>{Buttons(visit, held, "trust", text)}</li>
            """);
    }
}
