using System.Globalization;
using Relay.Actors;
using Relay.Actors.Files;
using Relay.Gateway.Api;
using Relay.Gateway.Auth;
using Relay.Gateway.Hosting;
using Relay.Storage;

namespace Relay.Gateway.Streams;

/// <summary>
/// Settles wire texts one by one, for a stream or a unary call: what was refused is told to its conversation, and then everything is
/// acknowledged before which nothing is open.
/// </summary>
internal sealed class WireSettlements(IRelay relay)
{
    /// <param name="prefix">Of the names of the fields, for violations.</param>
    /// <exception cref="Grpc.Core.RpcException">The request is not valid, or not allowed.</exception>
    public async Task<V1.SettleWireResponse> SettleAsync(
        Principal principal, V1.SettleWireRequest request, string prefix, CancellationToken cancellation)
    {
        var violations = new Violations();
        violations.AddIf(!ResourceNames.TryParseEndpoint(request.Endpoint, out var endpointId), prefix + "endpoint",
            "must be endpoints/{endpoint}");
        CheckCount(request.Settlements.Count, prefix + "settlements", violations);
        CheckCount(request.Delivered.Count, prefix + "delivered", violations);
        violations.AddIf(request.Settlements.Any(s => s.Failure.Length > 0 && !SettlementFailures.All.Contains(s.Failure)),
            prefix + "settlements.failure", $"must be empty or one of {string.Join(", ", SettlementFailures.All.Order())}");
        violations.ThrowIfAny();
        principal.RequireEndpoint(endpointId!);
        await OpenReaders.RequireStreamAsync(relay, endpointId!, StreamKind.Wire, cancellation);

        var stream = new StreamKey(endpointId!, StreamKind.Wire);
        var response = new V1.SettleWireResponse { Endpoint = request.Endpoint };
        var confirmed = await Task.WhenAll(request.Delivered.Select(name => ConfirmAsync(endpointId!, name, cancellation)));
        response.Unknown.AddRange(request.Delivered.Zip(confirmed).Where(c => !c.Second).Select(c => c.First));
        var position = await relay.Outbox.PositionAsync(stream, cancellation);
        var results = await Task.WhenAll(request.Settlements.Select(s => SettleAsync(stream, position, s, cancellation)));
        response.Results.AddRange(results);
        response.AcknowledgedSequence = await AcknowledgeAsync(
            stream, [.. results.Where(r => r.Reason.Length == 0).Select(r => r.Sequence)], cancellation);
        foreach (var (settlement, result) in request.Settlements.Zip(results))
        {
            // Nothing is stored of a text that is carried while one before it is open. A refusal is.
            if (result.Reason.Length > 0 || settlement.Failure.Length > 0 || result.Sequence <= response.AcknowledgedSequence) continue;
            (result.Reason, result.Retry) = (SettlementReasons.OutOfOrder, true);
        }
        return response;
    }

    private static void CheckCount(int count, string field, Violations violations) =>
        violations.AddIf(count > GatewayLimits.MaxSettlements, field, $"may be {GatewayLimits.MaxSettlements}");

    private async Task<V1.SettlementResult> SettleAsync(
        StreamKey stream, (ulong Acknowledged, ulong Last) position, V1.Settlement settlement, CancellationToken cancellation)
    {
        var result = new V1.SettlementResult { Sequence = settlement.Sequence };
        if (settlement.Sequence > position.Last || settlement.Sequence == 0) result.Reason = SettlementReasons.UnknownSequence;
        else if (settlement.Sequence <= position.Acknowledged) result.Reason = SettlementReasons.AlreadySettled;
        if (result.Reason.Length > 0 || settlement.Failure.Length == 0) return result;
        var items = await relay.Outbox.ReadAsync(stream, settlement.Sequence - 1, 1, 1, cancellation);
        if (items is not [var item] || item.Sequence != settlement.Sequence)
        {
            // It was acknowledged since.
            result.Reason = SettlementReasons.AlreadySettled;
            return result;
        }
        if (item.Body is OutboxBody.WireText { File: { Length: > 0 } file })
            return await RefuseFileAsync(stream.EndpointId, file, settlement, result, cancellation);
        // What is no bot's message concerns no bot: the peer asks again, or does not.
        if (item.Body is not OutboxBody.WireText { Message: { } number }) return result;
        var command = new Command.SettleSend(
            string.Create(CultureInfo.InvariantCulture, $"{settlement.Sequence}-{settlement.Failure}"),
            new SentReference(number, 0).MessageId, settlement.Sequence, settlement.Failure);
        switch (await relay.AskAsync(new ConversationAddress.ById(stream.EndpointId, item.ConversationId), command, cancellation))
        {
            case ConversationReply.Overloaded:
                (result.Reason, result.Retry) = (SettlementReasons.Overloaded, true);
                break;
            case ConversationReply.Unavailable:
                (result.Reason, result.Retry) = (SettlementReasons.Unavailable, true);
                break;
            // Its message is not remembered any more, or was acknowledged while it was settled.
            case ConversationReply.NotFound when (await relay.Outbox.PositionAsync(stream, cancellation)).Acknowledged >= item.Sequence:
                result.Reason = SettlementReasons.AlreadySettled;
                break;
        }
        return result;
    }

    /// <summary>The file that a wire text offers is undeliverable with its first piece that was refused.</summary>
    private async Task<V1.SettlementResult> RefuseFileAsync(
        string endpointId, string fileId, V1.Settlement settlement, V1.SettlementResult result, CancellationToken cancellation)
    {
        if (await relay.Files.RefuseAsync(endpointId, fileId, settlement.Failure, cancellation) is FileReply.NotOffered { Reply: var reply })
            (result.Reason, result.Retry) = (reply is ConversationReply.Overloaded ? SettlementReasons.Overloaded : SettlementReasons.Unavailable, true);
        return result;
    }

    /// <returns>False if there is no such message.</returns>
    /// <exception cref="Grpc.Core.RpcException">It is not known whether it was confirmed.</exception>
    private async Task<bool> ConfirmAsync(string endpointId, string name, CancellationToken cancellation)
    {
        if (!ResourceNames.TryParseMessage(name, out var named, out var conversationId, out var messageId) || named != endpointId) return false;
        var address = new ConversationAddress.ById(endpointId, conversationId);
        return await relay.AskAsync(address, new Command.SettleSend("delivered-" + messageId, messageId, 0, null), cancellation) switch
        {
            ConversationReply.Done => true,
            ConversationReply.NotFound or ConversationReply.Quarantined => false,
            var reply => throw Replies.Error(reply, address),
        };
    }

    /// <summary>Acknowledges what is settled, as far as nothing before it is open.</summary>
    /// <returns>The acknowledged sequence.</returns>
    private async Task<ulong> AcknowledgeAsync(StreamKey stream, HashSet<ulong> settled, CancellationToken cancellation)
    {
        var (acknowledged, _) = await relay.Outbox.PositionAsync(stream, cancellation);
        ulong upTo = acknowledged;
        while (settled.Any(s => s > upTo))
        {
            // A damaged item is never delivered, so that nobody can settle it.
            bool isSettled = settled.Contains(upTo + 1)
                || await relay.Outbox.ReadAsync(stream, upTo, 1, 1, cancellation) is [{ Body: OutboxBody.Notice } item] && item.Sequence == upTo + 1;
            if (!isSettled) break;
            upTo++;
        }
        if (upTo > acknowledged) await relay.Outbox.AcknowledgeAsync(stream, upTo, cancellation);
        return upTo;
    }
}
