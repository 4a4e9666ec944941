using System.CommandLine;
using Relay.V1;

namespace Relay.Cli.Conversations;

/// <summary>The command <c>relay conversations list</c>. Its switches are comparisons of the API's filter, joined by AND.</summary>
internal static class ListConversationsCommand
{
    public static Command Create()
    {
        var endpoint = new Argument<string>("endpoint") { Description = "Id or name of the endpoint." };
        var state = new Option<string?>("--state")
        {
            Description = "Only conversations in this state: plaintext, encrypted, finished or quarantined.", HelpName = "STATE",
        };
        state.AcceptOnlyFromAmong("plaintext", "encrypted", "finished", "quarantined");
        var trust = new Option<string?>("--trust")
        {
            Description = "Only those whose peer's key is verified, unverified, or held until somebody decides about it.", HelpName = "TRUST",
        };
        trust.AcceptOnlyFromAmong("verified", "unverified", "held");
        var label = new Option<string[]>("--label", "-l")
        {
            Description = "Only those with this label; may be repeated.", HelpName = "KEY=VALUE", DefaultValueFactory = _ => [],
        };
        var filter = new Option<string?>("--filter", "-f")
        {
            Description = "Only some: comparisons of state, trust, peer, key_held, quarantined, has_answer_secret and labels.KEY, such as "
                + "'peer : example.org AND labels.team = sales'.",
            HelpName = "TEXT",
        };
        var order = new Option<string?>("--order-by")
        {
            Description = "Order: name (the default), peer, create_time or update_time; 'update_time desc' the other way.",
            HelpName = "FIELD",
        };
        var command = new Command("list", "List an endpoint's conversations.") { endpoint, state, trust, label, filter, order }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            var request = new ListConversationsRequest
            {
                Parent = EndpointNames.Endpoint(parsed.GetRequiredValue(endpoint)), OrderBy = parsed.GetValue(order) ?? "",
                Filter = Filter(parsed.GetValue(state), parsed.GetValue(trust), parsed.GetValue(label) ?? [], parsed.GetValue(filter)),
            };
            await using var client = Connection.Open(parsed);
            var all = await Pages.AllAsync<Conversation>(async token =>
            {
                var next = new ListConversationsRequest(request) { PageToken = token };
                var page = await client.CallAsync(o => client.Conversations.ListConversationsAsync(next, o), cancellation);
                return (page.Conversations, page.NextPageToken);
            });
            if (parsed.GetValue(CommonOptions.Json)) Report.Json(Report.ToArray(all));
            else Report.Table(["CONVERSATION", "PEER", "STATE", "KEY", "HELD", "LABELS", "LAST CHANGE"],
                all.Select(c => new[]
                {
                    c.Name, c.Peer, ConversationsCommand.State(c), Key(c), c.HeldMessages > 0 ? $"{c.HeldMessages}" : "", Labels(c),
                    Times.Say(c.UpdateTime),
                }),
                request.Filter.Length > 0 ? "No conversation matches." : "This endpoint has no conversations yet.");
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>The labels of a conversation, in order of key.</summary>
    public static string Labels(Conversation c) =>
        string.Join(", ", c.Labels.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => $"{l.Key}={l.Value}"));

    /// <summary>What is known of the peer's key, in a word.</summary>
    public static string Key(Conversation c) => c switch
    {
        { KeyHeld: true } => "held",
        { Trust: Trust.Verified } => "verified",
        { Trust: Trust.Unverified } => "not verified",
        _ => "",
    };

    private static string Filter(string? state, string? trust, IReadOnlyList<string> labels, string? filter)
    {
        var comparisons = new List<string>();
        if (state is not null) comparisons.Add(state == "quarantined" ? "quarantined = true" : $"state = {state.ToUpperInvariant()}");
        if (trust is not null) comparisons.Add(trust == "held" ? "key_held = true" : $"trust = {trust.ToUpperInvariant()}");
        comparisons.AddRange(labels.Select(l => LabelPair.Parse(l, "--label")).Select(l => $"labels.{l.Key} = {Quoted(l.Value)}"));
        if (!string.IsNullOrWhiteSpace(filter)) comparisons.Add(filter);
        return string.Join(" AND ", comparisons);
    }

    // The filter language has no escapes.
    private static string Quoted(string value) => !value.Contains('"') ? $"\"{value}\""
        : throw new CommandFailure(ExitCode.Usage, "--label takes no value with a double quote.", "Search for a part of it: --filter 'labels.KEY : part'.");
}
