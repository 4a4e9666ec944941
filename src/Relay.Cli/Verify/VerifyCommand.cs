using System.CommandLine;
using Relay.Client;
using Relay.V1;

namespace Relay.Cli.Verify;

/// <summary>
/// The command <c>relay verify</c>: verifies a peer by a shared secret (SMP), as begun here or by the peer. The secret is read from the
/// terminal or a file, never from an argument.
/// </summary>
internal static class VerifyCommand
{
    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(300);

    public static Command Create()
    {
        var endpoint = PeerArguments.Endpoint();
        var peer = PeerArguments.Peer();
        var question = new Option<string?>("--question", "-q")
        {
            Description = "Ask the peer this question; the secret is the answer. Default: the peer is asked for the secret itself.",
            HelpName = "TEXT",
        };
        var secretFile = new Option<string?>("--secret-file")
        {
            Description = "File whose first line is the secret. Default: it is asked for on the terminal, or read from standard input.",
            HelpName = "FILE",
        };
        var command = new Command("verify", "Verify a peer by a secret that both people know, or answer the peer's own verification.")
        {
            endpoint, peer, question, secretFile,
        }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            var (name, address) = PeerArguments.Read(parsed.GetRequiredValue(endpoint), parsed.GetValue(peer));
            await using var client = Connection.Open(parsed);
            var conversation = await PeerArguments.FindAsync(client, name, address, cancellation);
            var run = new VerificationRun(client, conversation, parsed.GetValue(CommonOptions.Json));
            await run.ShowKeysAsync(name, cancellation);
            var asked = parsed.GetValue(question) is null ? await run.FindAskedAsync(cancellation) : null;
            if (asked is not null) run.ShowQuestion(asked);
            var secret = await ReadSecretAsync(parsed.GetValue(secretFile), asked is not null, cancellation);
            var verification = asked is not null
                ? await client.Bot().AnswerVerificationAsync(asked.Name, secret, cancellation: cancellation)
                : await client.Bot().VerifyAsync(conversation.Name, secret, parsed.GetValue(question), cancellation: cancellation);
            return await run.WaitAsync(verification.Response, s_poll, cancellation);
        });
        return command;
    }

    private static async Task<string> ReadSecretAsync(string? file, bool isAnswer, CancellationToken cancellation)
    {
        try
        {
            var line = file is not null ? File.ReadLines(file).FirstOrDefault()
                : Console.IsInputRedirected ? Console.In.ReadLine()
                : await SecretPrompt.ReadAsync(isAnswer ? "Answer: " : "Secret: ", cancellation);
            return line is { Length: > 0 } ? line
                : throw new CommandFailure(ExitCode.Usage, "The secret is empty.", "Type it, or name a file with --secret-file.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.Failed, $"The secret cannot be read: {e.Message}", inner: e);
        }
    }
}
