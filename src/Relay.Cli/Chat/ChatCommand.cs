using System.CommandLine;
using System.Runtime.InteropServices;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Relay.Client;
using Relay.V1;

namespace Relay.Cli.Chat;

/// <summary>The command <c>relay chat</c>: acts as a bot for one conversation in the terminal.</summary>
internal static class ChatCommand
{
    private static readonly TimeSpan s_keyLifetime = TimeSpan.FromDays(1);

    public static Command Create()
    {
        var endpoint = new Option<string?>("--endpoint", "-e") { Description = "Id or name of the endpoint to chat as." };
        var peer = new Option<string?>("--peer", "-p") { Description = "Address of the peer on the endpoint's network." };
        var both = new Argument<string?>("conversation")
        {
            Description = "endpoint/peer, in place of --endpoint and --peer.", Arity = ArgumentArity.ZeroOrOne,
        };
        var start = new Option<bool>("--start") { Description = "Offer a private session first." };
        var command = new Command("chat",
            "Chat with a peer in the terminal, as a bot would. Lines are sent to the peer; /help lists the commands.")
        {
            both, endpoint, peer, start,
        }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            var inOne = parsed.GetValue(both);
            if (inOne is not null && (parsed.GetValue(endpoint) ?? parsed.GetValue(peer)) is not null)
                throw new CommandFailure(ExitCode.Usage, "The peer is named twice: give either endpoint/peer, or --endpoint and --peer.");
            var (name, address) = PeerArguments.Read(inOne ?? parsed.GetValue(endpoint)
                ?? throw new CommandFailure(ExitCode.Usage, "The endpoint is missing.", "For example: relay chat support/alice@example.org"),
                parsed.GetValue(peer));
            var given = Connection.Key(parsed);
            await using var admin = Connection.Open(parsed, given);
            var made = await MakeKeyAsync(admin, name, cancellation);
            try
            {
                await using var client =
                    Connection.Open(parsed, made is null ? given : RelayKey.Parse(made.Token), TimeSpan.FromMinutes(1));
                bool json = parsed.GetValue(CommonOptions.Json);
                var terminal = ChatTerminal.Create(json);
                using var resized = OperatingSystem.IsWindows() ? null
                    : PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ => terminal.Redraw());
                var session = new ChatSession(client, client.Bot(name), name, address, terminal,
                    ChatScreen.Create(json, terminal));
                await session.RunAsync(parsed.GetValue(start), cancellation);
                return ExitCode.Ok;
            }
            finally
            {
                if (made is not null)
                    await admin.CallAsync(o => admin.Admin.RevokeApiKeyAsync(new RevokeApiKeyRequest { Name = made.ApiKey.Name }, o),
                        CancellationToken.None);
            }
        });
        return command;
    }

    /// <summary>
    /// Creates a bot key for the time of the chat if the given key is an admin key, which may create keys but not read plaintext. Null if
    /// the given key is not an admin key.
    /// </summary>
    private static async Task<CreateApiKeyResponse?> MakeKeyAsync(RelayClient client, string endpoint, CancellationToken cancellation)
    {
        var request = new CreateApiKeyRequest
        {
            RequestId = Guid.NewGuid().ToString("N"),
            Scopes = { Scope.Bot },
            DisplayName = "relay chat",
            ExpireTime = (DateTimeOffset.UtcNow + s_keyLifetime).ToTimestamp(),
            Endpoints = { endpoint },
        };
        try
        {
            return await client.CallAsync(o => client.Admin.CreateApiKeyAsync(request, o), cancellation);
        }
        catch (RelayException e) when (e.Code == StatusCode.PermissionDenied)
        {
            return null;
        }
    }
}
