using System.CommandLine;
using Google.Protobuf.WellKnownTypes;
using Relay.Client;
using Relay.V1;

namespace Relay.Cli.Identities;

/// <summary>The command group <c>relay identities</c>: list, trust, distrust, accept, refuse, import.</summary>
internal static class IdentitiesCommand
{
    private static readonly Argument<string> s_endpoint = PeerArguments.Endpoint();
    private static readonly Argument<string?> s_peer = PeerArguments.Peer();

    public static Command Create() => new("identities", "Show the keys of a peer, and say which are trusted.")
    {
        CreateList(), CreateTrust(), CreateDistrust(), CreateAccept(), CreateRefuse(), ImportIdentitiesCommand.Create(),
    };

    private static Command CreateList()
    {
        var command = new Command("list", "List the keys that a peer has shown.") { s_endpoint, s_peer }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var client = Connection.Open(parsed);
            var (endpoint, peer) = PeerArguments.Read(parsed.GetRequiredValue(s_endpoint), parsed.GetValue(s_peer));
            var found = await PeerArguments.FindAsync(client, endpoint, peer, cancellation);
            var identities = await ListAsync(client, found.Name, cancellation);
            if (parsed.GetValue(CommonOptions.Json)) Report.Json(Report.ToArray(identities));
            else Report.Table(["FINGERPRINT", "TRUST", "STANDING", "FIRST SEEN", "LAST SEEN", "NOTE"],
                identities.Select(i => new[]
                {
                    EndpointNames.Fingerprint(i.Fingerprint), TrustOf(i), StandingOf(i), Time(i.FirstSeenTime), Time(i.LastSeenTime), i.Note,
                }),
                "This peer has not shown a key yet.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command CreateTrust()
    {
        var fingerprint = new Argument<string?>("fingerprint")
        {
            Description = "The fingerprint as the peer reads it to you: 40 hex digits, blanks allowed.", Arity = ArgumentArity.ZeroOrOne,
        };
        var note = new Option<string?>("--note") { Description = "Who compared it, and how.", HelpName = "TEXT" };
        var command = new Command("trust", "Trust a key after its fingerprint was compared over another channel, for example by telephone.")
        {
            s_endpoint, s_peer, fingerprint, note,
        }.WithServer();
        command.SetAction((parsed, cancellation) =>
            SetAsync(parsed, parsed.GetValue(fingerprint), Trust.Verified, parsed.GetValue(note), cancellation));
        return command;
    }

    private static Command CreateDistrust()
    {
        var fingerprint = new Argument<string?>("fingerprint")
        {
            Description = "40 hex digits, blanks allowed.", Arity = ArgumentArity.ZeroOrOne,
        };
        var command = new Command("distrust", "Take the trust in a key back.") { s_endpoint, s_peer, fingerprint }.WithServer();
        command.SetAction((parsed, cancellation) =>
            SetAsync(parsed, parsed.GetValue(fingerprint), Trust.Unverified, null, cancellation));
        return command;
    }

    private static Command CreateAccept() => CreateDecision("accept",
        "Take a key that is held for the peer's, without trusting it: what waits for it is sent.",
        (client, name, cancellation) =>
        {
            var request = new AcceptIdentityRequest { RequestId = Guid.NewGuid().ToString("N"), Name = name };
            return client.CallAsync(o => client.Identities.AcceptIdentityAsync(request, o), cancellation);
        });

    private static Command CreateRefuse() => CreateDecision("refuse",
        "Refuse a key: its session ends, what waits for it is dropped, and its key exchanges are not taken any more.",
        (client, name, cancellation) =>
        {
            var request = new RefuseIdentityRequest { RequestId = Guid.NewGuid().ToString("N"), Name = name };
            return client.CallAsync(o => client.Identities.RefuseIdentityAsync(request, o), cancellation);
        });

    private static Command CreateDecision(
        string verb, string description, Func<RelayClient, string, CancellationToken, Task<Identity>> decideAsync)
    {
        var fingerprint = new Argument<string?>("fingerprint")
        {
            Description = "40 hex digits, blanks allowed.", Arity = ArgumentArity.ZeroOrOne,
        };
        var command = new Command(verb, description) { s_endpoint, s_peer, fingerprint }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var client = Connection.Open(parsed);
            var name = await NameAsync(client, parsed, parsed.GetValue(fingerprint), cancellation);
            var identity = await decideAsync(client, name, cancellation);
            if (parsed.GetValue(CommonOptions.Json)) Report.Json(Report.ToNode(identity));
            else Console.Out.WriteLine($"{EndpointNames.Fingerprint(identity.Fingerprint)} is {StandingOf(identity)}, {TrustOf(identity)}.");
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>The name of the identity that the arguments name.</summary>
    /// <exception cref="CommandFailure">The fingerprint is none, or there is no such conversation.</exception>
    private static async Task<string> NameAsync(RelayClient client, ParseResult parsed, string? last, CancellationToken cancellation)
    {
        var (endpoint, peer, fingerprint) =
            PeerArguments.Read(parsed.GetRequiredValue(s_endpoint), parsed.GetValue(s_peer), last, "The fingerprint");
        var digits = fingerprint.Replace(" ", "", StringComparison.Ordinal).ToLowerInvariant();
        if (digits.Length != 40 || !digits.All(char.IsAsciiHexDigit))
        {
            throw new CommandFailure(
                ExitCode.Usage, "A fingerprint has 40 hexadecimal digits.", "'relay identities list' shows those known.");
        }
        return $"{(await PeerArguments.FindAsync(client, endpoint, peer, cancellation)).Name}/identities/{digits}";
    }

    private static async Task<int> SetAsync(
        ParseResult parsed, string? last, Trust trust, string? note, CancellationToken cancellation)
    {
        await using var client = Connection.Open(parsed);
        var request = new UpdateIdentityRequest
        {
            RequestId = Guid.NewGuid().ToString("N"),
            Identity = new Identity { Name = await NameAsync(client, parsed, last, cancellation), Trust = trust, Note = note ?? "" },
            UpdateMask = new FieldMask { Paths = { "trust" } },
            // Somebody may read a fingerprint from a business card before the first session.
            AllowMissing = trust == Trust.Verified,
        };
        if (note is not null) request.UpdateMask.Paths.Add("note");
        var identity = await client.CallAsync(o => client.Identities.UpdateIdentityAsync(request, o), cancellation);
        if (parsed.GetValue(CommonOptions.Json)) Report.Json(Report.ToNode(identity));
        else Console.Out.WriteLine($"{EndpointNames.Fingerprint(identity.Fingerprint)} is now {TrustOf(identity)}.");
        return ExitCode.Ok;
    }

    public static async Task<IReadOnlyList<Identity>> ListAsync(RelayClient client, string conversation, CancellationToken cancellation)
    {
        var request = new ListIdentitiesRequest { Parent = conversation };
        return (await client.CallAsync(o => client.Identities.ListIdentitiesAsync(request, o), cancellation)).Identities;
    }

    private static string StandingOf(Identity identity) => identity.Standing switch
    {
        Identity.Types.Standing.Held => "held",
        Identity.Types.Standing.Refused => "refused",
        _ => "accepted",
    };

    private static string TrustOf(Identity identity) => identity switch
    {
        { Trust: not Trust.Verified } => "not verified",
        { TrustSource: "smp" } => "verified by a shared secret",
        { TrustSource: "verified" } => "verified by its fingerprint",
        _ => $"verified ({identity.TrustSource})",
    };

    private static string Time(Timestamp? time) => Times.Say(time, "never");
}
