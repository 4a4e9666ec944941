using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;

namespace Relay.Client;

/// <summary>What the server refused, and why.</summary>
public sealed class RelayException : Exception
{
    private const string DetailsKey = "grpc-status-details-bin";

    private RelayException(RpcException inner, string reason, IReadOnlyList<(string Field, string Description)> violations, TimeSpan? retryAfter)
        : base(inner.Status.Detail, inner)
    {
        Code = inner.StatusCode;
        Reason = reason;
        Violations = violations;
        RetryAfter = retryAfter;
    }

    /// <summary>The gRPC status.</summary>
    public StatusCode Code { get; }

    /// <summary>The stable reason (<c>google.rpc.ErrorInfo</c>); empty if the server gave none.</summary>
    public string Reason { get; }

    /// <summary>The fields that were wrong.</summary>
    public IReadOnlyList<(string Field, string Description)> Violations { get; }

    /// <summary>How long to wait before the same request may be tried again; null: in vain.</summary>
    public TimeSpan? RetryAfter { get; }

    /// <summary>Reads the details of a status.</summary>
    public static RelayException From(RpcException error)
    {
        string reason = "";
        TimeSpan? retryAfter = null;
        var violations = new List<(string, string)>();
        foreach (var detail in Details(error))
        {
            if (detail.TryUnpack<ErrorInfo>(out var info)) reason = info.Reason;
            else if (detail.TryUnpack<RetryInfo>(out var retry)) retryAfter = retry.RetryDelay?.ToTimeSpan();
            else if (detail.TryUnpack<BadRequest>(out var bad)) violations.AddRange(bad.FieldViolations.Select(v => (v.Field, v.Description)));
        }
        return new RelayException(error, reason, violations, retryAfter);
    }

    /// <summary>True if the same request, with the same id, may do better later: nothing, or not everything, is known to have been done.</summary>
    internal bool IsPassing => Code switch
    {
        StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.Cancelled => true,
        StatusCode.ResourceExhausted => RetryAfter is not null,
        // Without a reason it is the connection that broke, not the server that failed.
        StatusCode.Internal or StatusCode.Unknown => Reason.Length == 0,
        _ => false,
    };

    private static IEnumerable<Any> Details(RpcException error)
    {
        var bytes = error.Trailers.FirstOrDefault(e => e.Key == DetailsKey && e.IsBinary)?.ValueBytes;
        if (bytes is null) return [];
        try
        {
            return Google.Rpc.Status.Parser.ParseFrom(bytes).Details;
        }
        catch (Google.Protobuf.InvalidProtocolBufferException)
        {
            // Details of another make: the status stands without them.
            return [];
        }
    }
}
