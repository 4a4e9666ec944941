using System.Globalization;
using Relay.Cli.Identities;
using Relay.Client;
using Relay.V1;
using State = Relay.V1.Verification.Types.State;

namespace Relay.Cli.Verify;

/// <summary>One verification from the command line: the keys beforehand, the wait, the result.</summary>
internal sealed class VerificationRun(RelayClient client, Conversation conversation, bool json)
{
    /// <summary>Shows both fingerprints and the session's words, which people can compare instead.</summary>
    public async Task ShowKeysAsync(string endpoint, CancellationToken cancellation)
    {
        var session = conversation.Sessions.FirstOrDefault(s => s.State == MessageState.Encrypted)
            ?? throw new CommandFailure(ExitCode.Refused, $"No private session with {Report.Safe(conversation.Peer)} is established.",
                $"Begin one: relay conversations start {EndpointNames.Id(endpoint)} --peer {Report.Safe(conversation.Peer)}");
        if (json) return;
        var request = new GetEndpointRequest { Name = endpoint };
        var own = await client.CallAsync(o => client.Endpoints.GetEndpointAsync(request, o), cancellation);
        var known = (await IdentitiesCommand.ListAsync(client, conversation.Name, cancellation))
            .FirstOrDefault(i => i.Fingerprint == session.PeerFingerprint);
        Report.Fields(
        [
            ("peer", conversation.Peer), ("peer's key", EndpointNames.Fingerprint(session.PeerFingerprint)),
            ("our key", EndpointNames.Fingerprint(own.Fingerprint)), ("session id", EndpointNames.Ssid(session)),
            ("so far", known?.Trust == Trust.Verified ? "verified" : "not verified"),
        ]);
    }

    /// <summary>The verification that the peer began and that waits for an answer; null if there is none.</summary>
    public Task<Verification?> FindAskedAsync(CancellationToken cancellation) =>
        FindAsync(client, conversation.Name, v => v.State == State.WaitingForAnswer, cancellation);

    /// <summary>The latest verification of a conversation that fits; null if there is none.</summary>
    public static async Task<Verification?> FindAsync(
        RelayClient client, string conversation, Func<Verification, bool> fits, CancellationToken cancellation)
    {
        var request = new ListVerificationsRequest { Parent = conversation };
        var list = await client.CallAsync(o => client.Verifications.ListVerificationsAsync(request, o), cancellation);
        return list.Verifications.LastOrDefault(fits);
    }

    public void ShowQuestion(Verification asked)
    {
        if (json) return;
        Report.Fields([("its key", EndpointNames.Fingerprint(EndpointNames.Id(asked.Identity)))]);
        Console.Out.WriteLine(asked.Question.Length > 0
            ? $"{Report.Safe(conversation.Peer)} asks: {Report.Safe(asked.Question)}"
            : $"{Report.Safe(conversation.Peer)} asks for the shared secret.");
    }

    public static bool IsOpen(Verification v) => v.State is State.WaitingForPeer or State.WaitingForAnswer or State.Running;

    /// <summary>Waits for the result, and shows it. A signal cancels the verification.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> WaitAsync(Verification verification, TimeSpan poll, CancellationToken cancellation)
    {
        if (!json && verification.State == State.WaitingForPeer)
        {
            Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"Waiting for the peer until {verification.ExpireTime.ToDateTime().ToLocalTime():HH:mm:ss}; Ctrl-C cancels."));
        }
        try
        {
            while (IsOpen(verification))
            {
                await Task.Delay(poll, cancellation);
                var request = new GetVerificationRequest { Name = verification.Name };
                verification = await client.CallAsync(o => client.Verifications.GetVerificationAsync(request, o), cancellation);
            }
        }
        catch (OperationCanceledException)
        {
            await client.Bot().CancelVerificationAsync(verification.Name, cancellation: CancellationToken.None);
            throw;
        }
        if (json) Report.Json(Report.ToNode(verification));
        else await TellAsync(verification, cancellation);
        return verification.State == State.Succeeded ? ExitCode.Ok : ExitCode.Failed;
    }

    /// <summary>Shows the result, and what is true of the key then.</summary>
    private async Task TellAsync(Verification verification, CancellationToken cancellation)
    {
        Console.Out.WriteLine(Result(verification));
        var request = new GetIdentityRequest { Name = verification.Identity };
        var identity = await client.CallAsync(o => client.Identities.GetIdentityAsync(request, o), cancellation);
        var state = identity.Trust == Trust.Verified ? "verified" : "not verified";
        Console.Out.WriteLine($"The key {EndpointNames.Fingerprint(identity.Fingerprint)} is {state}.");
    }

    /// <summary>A verification that has ended, in a sentence.</summary>
    public static string Result(Verification v) => v switch
    {
        { State: State.Succeeded, OneWay: true } =>
            "Right: the peer knows now that you are who it takes you for. That does not verify the peer; begin a verification of your own.",
        { State: State.Succeeded } => "Verified: the secrets are equal.",
        { State: State.Failed, Reason: "SECRETS_DIFFER" } =>
            "Failed: the secrets differ. Either one was mistyped, or somebody sits between you.",
        { State: State.Failed } => "Failed: the peer's program does not follow the protocol.",
        { State: State.Expired } => "The peer did not answer in time.",
        { Reason: "DECLINED_BY_PEER" } => "The peer declined.",
        { Reason: "SESSION_ENDED" } => "The private session ended before the verification did.",
        { Reason: "REPLACED" } => "Another verification took the place of this one.",
        _ => "The verification was cancelled.",
    };
}
