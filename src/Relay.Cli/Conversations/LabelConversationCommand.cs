using System.CommandLine;
using Google.Protobuf.WellKnownTypes;
using Relay.V1;

namespace Relay.Cli.Conversations;

/// <summary>The command <c>relay conversations label</c>.</summary>
internal static class LabelConversationCommand
{
    public static Command Create()
    {
        var name = PeerArguments.Conversation();
        var labels = new Argument<string[]>("label")
        {
            Description = "KEY=VALUE sets a label, KEY= removes it.", Arity = ArgumentArity.OneOrMore,
        };
        var command = new Command("label", "Write labels on a conversation, by which it is found and listed.") { name, labels }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            var request = new UpdateConversationRequest
            {
                RequestId = Guid.NewGuid().ToString("N"), Conversation = new Conversation(), UpdateMask = new FieldMask(),
            };
            foreach (var (key, value) in parsed.GetRequiredValue(labels).Select(l => LabelPair.Parse(l, "A label")))
            {
                request.UpdateMask.Paths.Add("labels." + key);
                if (value.Length > 0) request.Conversation.Labels[key] = value;
            }
            await using var client = Connection.Open(parsed);
            request.Conversation.Name = await PeerArguments.NameAsync(client, parsed.GetRequiredValue(name), cancellation);
            var labelled = await client.CallAsync(o => client.Conversations.UpdateConversationAsync(request, o), cancellation);
            if (parsed.GetValue(CommonOptions.Json)) Report.Json(Report.ToNode(labelled));
            else if (labelled.Labels.Count == 0) Console.Out.WriteLine("It has no labels now.");
            else Console.Out.WriteLine($"Its labels: {Report.Safe(ListConversationsCommand.Labels(labelled))}");
            return ExitCode.Ok;
        });
        return command;
    }
}

/// <summary>A label as it is typed: <c>team=sales</c>.</summary>
internal static class LabelPair
{
    /// <exception cref="CommandFailure">There is no key or no equals sign.</exception>
    public static (string Key, string Value) Parse(string text, string what)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        return equals > 0 ? (text[..equals], text[(equals + 1)..])
            : throw new CommandFailure(ExitCode.Usage, $"{what} has the form KEY=VALUE, such as team=sales.");
    }
}
