using System.CommandLine;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Relay.Client;
using Relay.V1;

namespace Relay.Cli.Chat;

/// <summary><c>relay chat</c>: a conversation in the terminal, as a bot has it.</summary>
internal static class ChatCommand
{
    private static readonly TimeSpan s_keyLifetime = TimeSpan.FromDays(1);

    public static Command Create()
    {
        var endpoint = new Option<string>("--endpoint") { Description = "The endpoint that you speak for: its id or name.", Required = true };
        var peer = new Option<string>("--peer") { Description = "The peer's address on the endpoint's network.", Required = true };
        var start = new Option<bool>("--start") { Description = "Offer a private session at once." };
        var command = new Command("chat", "A conversation in the terminal, as a bot has it. Lines go to the peer; /start, /end and /quit are for you.") { endpoint, peer, start }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            var name = EndpointNames.Endpoint(parsed.GetRequiredValue(endpoint));
            var given = Connection.Key(parsed);
            await using var admin = Connection.Open(parsed, given);
            var made = await MakeKeyAsync(admin, name, cancellation);
            try
            {
                await using var client = Connection.Open(parsed, made is null ? given : RelayKey.Parse(made.Token), TimeSpan.FromMinutes(1));
                var session = new ChatSession(client.Bot(name), name, parsed.GetRequiredValue(peer), ChatScreen.Create(parsed.GetValue(CommonOptions.Json)));
                await session.RunAsync(Console.In, parsed.GetValue(start), cancellation);
                return ExitCode.Ok;
            }
            finally
            {
                if (made is not null)
                    await admin.CallAsync(o => admin.Admin.RevokeApiKeyAsync(new RevokeApiKeyRequest { Name = made.ApiKey.Name }, o), CancellationToken.None);
            }
        });
        return command;
    }

    /// <summary>An admin key reads no plaintext; whoever holds one may make a bot key, which lives as long as the chat. Null: the key is a bot's already.</summary>
    private static async Task<CreateApiKeyResponse?> MakeKeyAsync(RelayClient client, string endpoint, CancellationToken cancellation)
    {
        var request = new CreateApiKeyRequest
        {
            RequestId = Guid.NewGuid().ToString("N"),
            Scope = Scope.Bot,
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
