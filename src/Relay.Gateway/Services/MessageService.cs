using System.Diagnostics;
using System.Text;
using Grpc.Core;
using Otr.Core;
using Relay.Actors;
using Relay.Gateway.Auth;
using Relay.Gateway.Api;
using Relay.Gateway.Hosting;

namespace Relay.Gateway.Services;

/// <summary>Sends plaintext messages of bots.</summary>
internal sealed class MessageService(IRelay relay) : V1.MessageService.MessageServiceBase
{
    public override async Task<V1.SendMessageResponse> SendMessage(V1.SendMessageRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        Targets.CheckRequestId(request.RequestId, violations);
        var address = Targets.Parse(request.Parent, request.Peer, violations);
        var bytes = Encoding.UTF8.GetByteCount(request.Text);
        violations.AddIf(bytes is 0 or > GatewayLimits.MaxTextBytes, "text", $"must have 1 to {GatewayLimits.MaxTextBytes} bytes of UTF-8");
        violations.AddIf(request.Text.Contains('\0'), "text", "must not contain U+0000");
        violations.ThrowIfAny();

        var command = new Command.SendText(request.RequestId, Encoding.UTF8.GetBytes(request.Text));
        var done = await Targets.AskAsync(relay, Principal.Of(context), address!, command, context.CancellationToken);
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
        };
    }
}
