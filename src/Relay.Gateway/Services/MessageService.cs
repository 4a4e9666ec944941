using System.Diagnostics;
using System.Globalization;
using System.Text;
using Grpc.Core;
using Otr.Core;
using Relay.Actors;
using Relay.Gateway.Auth;
using Relay.Gateway.Api;
using Relay.Gateway.Hosting;
using Relay.Gateway.Streams;
using Relay.Gateway.Telemetry;

namespace Relay.Gateway.Services;

/// <summary>Sends plaintext messages of bots, and tells what became of them.</summary>
internal sealed class MessageService(IRelay relay, IApiKeyStore keys, TimeProvider time, SendWaits waits, GatewayMetrics metrics)
    : V1.MessageService.MessageServiceBase
{
    public override async Task<V1.SendMessageResponse> SendMessage(V1.SendMessageRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        Targets.CheckRequestId(request.RequestId, violations);
        var address = Targets.Parse(request.Parent, request.Peer, violations);
        var bytes = Encoding.UTF8.GetByteCount(request.Text);
        violations.AddIf(bytes is 0 or > GatewayLimits.MaxTextBytes, "text", $"must have 1 to {GatewayLimits.MaxTextBytes} bytes of UTF-8");
        violations.AddIf(request.Text.Contains('\0'), "text", "must not contain U+0000");
        var wait = request.Wait is null ? TimeSpan.Zero : RequestDurations.Within(request.Wait, GatewayLimits.MaxPullWait);
        violations.AddIf(wait is null, "wait", $"must be 0 to {GatewayLimits.MaxPullWait.TotalSeconds} seconds");
        violations.ThrowIfAny();

        var command = new Command.SendText(request.RequestId, Encoding.UTF8.GetBytes(request.Text));
        var done = await metrics.CountSendAsync(
            Targets.AskAsync(relay, Principal.Of(context), address!, command, context.CancellationToken));
        var message = Accepted(done);
        if (wait > TimeSpan.Zero) message = await WaitAsync(address!.EndpointId, done.ConversationId, message, wait.Value, context);
        return new V1.SendMessageResponse
        {
            Conversation = ResourceNames.Conversation(address!.EndpointId, done.ConversationId),
            Disposition = done.Disposition switch
            {
                SendDisposition.Encrypted => V1.SendMessageResponse.Types.Disposition.Encrypted,
                SendDisposition.Clear => V1.SendMessageResponse.Types.Disposition.Clear,
                SendDisposition.Held => V1.SendMessageResponse.Types.Disposition.Held,
                SendDisposition.Dropped or null => throw new UnreachableException("A message that was sent has a disposition."),
                _ => throw new UnreachableException($"SendDisposition {(int)done.Disposition}"),
            },
            Message = Mapping.Message(address.EndpointId, done.ConversationId, message),
        };
    }

    public override async Task<V1.Message> GetMessage(V1.GetMessageRequest request, ServerCallContext context)
    {
        var (endpointId, conversationId, messageId) = Parse(request.Name, new Violations());
        Principal.Of(context).RequireEndpoint(endpointId);
        return await ReadAsync(endpointId, conversationId, messageId, context);
    }

    public override async Task<V1.ListMessagesResponse> ListMessages(V1.ListMessagesRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.AddIf(!ResourceNames.TryParseConversation(request.Parent, out var endpointId, out var conversationId), "parent",
            "must be endpoints/{endpoint}/conversations/{conversation}");
        var filter = MessageFilter.Parse(request.Filter, violations);
        var page = Paging.Parse(request.PageSize, request.PageToken, violations);
        var isAfter = After(page.AfterId);
        Principal.Of(context).RequireEndpoint(endpointId!);
        var found = await relay.Messages.ListAsync(endpointId!, conversationId!, context.CancellationToken) switch
        {
            MessagesReply.Found { Messages: var messages } => messages,
            MessagesReply.NoConversation => throw Replies.Error(
                new ConversationReply.NotFound("conversation"), new ConversationAddress.ById(endpointId!, conversationId!)),
            _ => throw Quarantined(endpointId!, conversationId!),
        };
        var shown = found.Where(filter).Where(isAfter).Take(page.Size).ToList();
        var response = new V1.ListMessagesResponse { NextPageToken = page.NextToken(shown.Count, () => Place(shown[^1])) };
        response.Messages.AddRange(shown.Select(m => Mapping.Message(endpointId!, conversationId!, m)));
        return response;
    }

    public override async Task<V1.Message> CancelMessage(V1.CancelMessageRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        Targets.CheckRequestId(request.RequestId, violations);
        var (endpointId, conversationId, messageId) = Parse(request.Name, violations);
        Principal.Of(context).RequireEndpoint(endpointId);
        var address = new ConversationAddress.ById(endpointId, conversationId);
        var reply = await relay.AskAsync(address, new Command.CancelSend(request.RequestId, messageId), context.CancellationToken);
        if (reply is ConversationReply.NotFound) throw NotFound(request.Name);
        Replies.RequireDone(reply, address);
        return await ReadAsync(endpointId, conversationId, messageId, context);
    }

    private async Task<V1.Message> ReadAsync(string endpointId, string conversationId, string messageId, ServerCallContext context) =>
        await relay.Messages.GetAsync(endpointId, conversationId, messageId, context.CancellationToken) switch
        {
            MessagesReply.Found { Messages: [var message] } => Mapping.Message(endpointId, conversationId, message),
            MessagesReply.Quarantined => throw Quarantined(endpointId, conversationId),
            // The same whether it is the message that is missing, or its conversation.
            _ => throw NotFound(ResourceNames.Message(endpointId, conversationId, messageId)),
        };

    /// <summary>
    /// The message once it is settled, or as it was last known: when the time is over, the server drains, or too many wait already. What was
    /// accepted stays so, whatever becomes of the wait.
    /// </summary>
    private async Task<MessageView> WaitAsync(
        string endpointId, string conversationId, MessageView message, TimeSpan wait, ServerCallContext context)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, relay.Draining);
        try
        {
            if (!waits.TryEnter()) return message;
            var waiting = relay.Messages.WaitAsync(endpointId, conversationId, message.Id, wait, limit.Token).AsTask();
            var ended = await Task.WhenAny(waiting, Principal.Of(context).WatchAsync(keys, time, limit.Token));
            await ended;
            return await waiting is MessagesReply.Found { Messages: [var found] } ? found : message;
        }
        catch (OperationCanceledException) when (!context.CancellationToken.IsCancellationRequested)
        {
            return message;
        }
        catch (Storage.StoreException)
        {
            return message;
        }
        finally
        {
            waits.Leave();
            await limit.CancelAsync();
        }
    }

    private static MessageView Accepted(ConversationReply.Done done)
    {
        var sent = done.Sent ?? throw new UnreachableException("A message that was sent has a name.");
        var created = DateTimeOffset.FromUnixTimeMilliseconds(sent.CreatedMs);
        var status = done.Disposition switch
        {
            SendDisposition.Held => MessageStatus.Held,
            SendDisposition.Clear => MessageStatus.Clear,
            _ => MessageStatus.Encrypted,
        };
        return new MessageView(sent.MessageId, status, "", created, created);
    }

    /// <summary>Where a message is in the list: it is ordered by time, the newest first, and then by id.</summary>
    private static string Place(MessageView message) =>
        string.Create(CultureInfo.InvariantCulture, $"{message.Created.ToUnixTimeMilliseconds()}.{message.Id}");

    private static Func<MessageView, bool> After(string? place)
    {
        if (place is null) return static _ => true;
        if (place.Split('.') is not [var ms, var id]
            || !long.TryParse(ms, NumberStyles.None, CultureInfo.InvariantCulture, out long created))
            throw ApiErrors.InvalidArgument("page_token", "was not issued by this server");
        return message => message.Created.ToUnixTimeMilliseconds() is var time && time < created
            || (time == created && string.CompareOrdinal(message.Id, id) > 0);
    }

    private static RpcException NotFound(string name) => ApiErrors.NotFound(Reasons.MessageNotFound, "message", name);

    private static RpcException Quarantined(string endpointId, string conversationId) => Replies.Error(
        new ConversationReply.Quarantined(conversationId), new ConversationAddress.ById(endpointId, conversationId));

    private static (string EndpointId, string ConversationId, string MessageId) Parse(string name, Violations violations)
    {
        violations.AddIf(!ResourceNames.TryParseMessage(name, out var endpointId, out var conversationId, out var messageId), "name",
            "must be endpoints/{endpoint}/conversations/{conversation}/messages/{message}");
        violations.ThrowIfAny();
        return (endpointId!, conversationId!, messageId!);
    }
}
