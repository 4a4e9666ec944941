using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Wire;

namespace Grpc.Core;

/// <summary>Between <c>google.rpc.Status</c>, with its details, and calls that end with it (the richer error model).</summary>
public static class RpcStatusExtensions
{
    /// <summary>An exception that ends a call with this status, its details in <c>grpc-status-details-bin</c>.</summary>
    public static RpcException ToRpcException(this Google.Rpc.Status status)
    {
        ArgumentNullException.ThrowIfNull(status);
        return status.ToRpcException((StatusCode)status.Code, status.Message);
    }

    /// <summary>An exception that ends a call with another code and message, but with these details.</summary>
    public static RpcException ToRpcException(this Google.Rpc.Status status, StatusCode statusCode, string message)
    {
        ArgumentNullException.ThrowIfNull(status);
        var trailers = new Metadata();
        trailers.SetRpcStatus(status);
        return new RpcException(new Status(statusCode, message), trailers);
    }

    /// <summary>The first detail of a type, or null.</summary>
    public static T? GetDetail<T>(this Google.Rpc.Status status)
        where T : class, IMessage<T>, new()
    {
        ArgumentNullException.ThrowIfNull(status);
        foreach (Any detail in status.Details)
        {
            if (detail.TryUnpack(out T message))
                return message;
        }
        return null;
    }

    /// <summary>The status in the trailers of a failed call; null if there is none, or none that can be read.</summary>
    public static Google.Rpc.Status? GetRpcStatus(this RpcException exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        return exception.Trailers.GetRpcStatus(ignoreParseError: true);
    }

    /// <summary>The status in <c>grpc-status-details-bin</c>; null if there is none.</summary>
    /// <exception cref="InvalidProtocolBufferException">There is one, but damaged.</exception>
    public static Google.Rpc.Status? GetRpcStatus(this Metadata metadata, bool ignoreParseError = false)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        if (metadata.Get(GrpcProtocol.StatusDetailsHeader) is not { } entry)
            return null;
        try
        {
            return Google.Rpc.Status.Parser.ParseFrom(entry.ValueBytes);
        }
        catch (InvalidProtocolBufferException) when (ignoreParseError)
        {
            return null;
        }
    }

    /// <summary>Puts a status into <c>grpc-status-details-bin</c>, instead of one that is there.</summary>
    public static void SetRpcStatus(this Metadata metadata, Google.Rpc.Status status)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        ArgumentNullException.ThrowIfNull(status);
        while (metadata.Get(GrpcProtocol.StatusDetailsHeader) is { } entry)
            metadata.Remove(entry);
        metadata.Add(GrpcProtocol.StatusDetailsHeader, status.ToByteArray());
    }
}
