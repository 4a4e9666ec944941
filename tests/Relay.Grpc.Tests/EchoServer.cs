using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Grpc.Net.Client;
using GrpcTests.Echo;
using Status = Grpc.Core.Status;

namespace GrpcTests;

/// <summary>The service that the tests call; what it does is chosen by the request's text.</summary>
public sealed class EchoServer(CallLog log) : EchoService.EchoServiceBase
{
    public override async Task<EchoResponse> Unary(EchoRequest request, ServerCallContext context)
    {
        switch (request.Text)
        {
            case "fail":
                throw new RpcException(
                    new Status(StatusCode.FailedPrecondition, "nicht möglich: 100 %\n☃"),
                    new Metadata { { "reason", "test" }, { "reason-bin", [0, 1, 0xfe, 0xff] } });
            case "throw":
                throw new InvalidOperationException("a secret of the server");
            case "details":
                throw new Google.Rpc.Status
                {
                    Code = (int)StatusCode.InvalidArgument,
                    Message = "bad field",
                    Details =
                    {
                        Any.Pack(new ErrorInfo { Reason = "FIELD_INVALID", Domain = "relay.example" }),
                        Any.Pack(new BadRequest { FieldViolations = { new BadRequest.Types.FieldViolation { Field = "text", Description = "must not be details" } } }),
                    },
                }.ToRpcException();
            case "set-status":
                context.Status = new Status(StatusCode.DataLoss, "set");
                return new EchoResponse();
            case "null":
                return null!;
            case "hang":
                log.Entered.TrySetResult();
                await log.UntilCancelledAsync(context);
                break;
            case "ignore-token":
                log.Entered.TrySetResult();
                await log.Release.Task;
                break;
            case "metadata":
                var echoed = new Metadata();
                foreach (Metadata.Entry entry in context.RequestHeaders)
                {
                    if (!entry.Key.StartsWith("x-", StringComparison.Ordinal))
                        continue;
                    echoed.Add(entry);
                    context.ResponseTrailers.Add(entry);
                }
                await context.WriteResponseHeadersAsync(echoed);
                break;
            case "forward":
                using (GrpcChannel channel = GrpcChannel.ForAddress($"http://{context.Host}"))
                {
                    var options = new CallOptions(propagationToken: context.CreatePropagationToken());
                    return await new EchoService.EchoServiceClient(channel).UnaryAsync(new EchoRequest { Text = "deadline" }, options);
                }
            case "peer":
                return new EchoResponse { Text = $"{context.Peer} {string.Join(',', context.AuthContext.PeerIdentity.Select(property => property.Value))}" };
            case "deadline":
                return new EchoResponse { Text = context.Deadline == DateTime.MaxValue ? "none" : context.Deadline.ToString("O") };
            case "headers":
                return new EchoResponse { Text = string.Join('\n', context.GetHttpContext().Request.Headers.Select(h => $"{h.Key}: {h.Value}")) };
        }
        return new EchoResponse { Text = request.Text, Payload = request.Count > 0 ? ByteString.CopyFrom(new byte[request.Count]) : request.Payload };
    }

    public override async Task<EchoResponse> ClientStream(IAsyncStreamReader<EchoRequest> requestStream, ServerCallContext context)
    {
        var texts = new List<string>();
        int bytes = 0;
        await foreach (EchoRequest request in requestStream.ReadAllAsync(context.CancellationToken))
        {
            if (request.Text == "stop")
                throw new RpcException(new Status(StatusCode.Aborted, "stopped"));
            if (request.Text == "hang")
            {
                log.Entered.TrySetResult();
                await log.UntilCancelledAsync(context);
            }
            texts.Add(request.Text);
            bytes += request.Payload.Length;
        }
        return new EchoResponse { Text = string.Join(',', texts) + ":" + bytes };
    }

    public override async Task ServerStream(EchoRequest request, IServerStreamWriter<EchoResponse> responseStream, ServerCallContext context)
    {
        for (int i = 0; i < request.Count; i++)
            await responseStream.WriteAsync(new EchoResponse { Text = $"{request.Text} {i}", Payload = request.Payload });
        if (request.Text == "fail")
            throw new RpcException(new Status(StatusCode.OutOfRange, "no more"), new Metadata { { "reason", "end" } });
        if (request.Text == "hang")
        {
            log.Entered.TrySetResult();
            await log.UntilCancelledAsync(context);
        }
    }

    public override async Task Duplex(IAsyncStreamReader<EchoRequest> requestStream, IServerStreamWriter<EchoResponse> responseStream, ServerCallContext context)
    {
        try
        {
            while (await requestStream.MoveNext(context.CancellationToken))
            {
                if (requestStream.Current.Text == "fail")
                    throw new RpcException(new Status(StatusCode.Aborted, "as asked"));
                await responseStream.WriteAsync(new EchoResponse { Text = requestStream.Current.Text, Payload = requestStream.Current.Payload });
            }
        }
        catch (Exception) when (context.CancellationToken.IsCancellationRequested)
        {
            log.Cancelled.TrySetResult();
            throw;
        }
    }
}
