using System.Text;
using Google.Rpc;

namespace Relay.Gateway.Api;

/// <summary>Collects what is wrong with a request, so that its sender hears of everything at once.</summary>
internal sealed class Violations
{
    private readonly List<BadRequest.Types.FieldViolation> _found = [];

    public void Add(string field, string description) =>
        _found.Add(new BadRequest.Types.FieldViolation { Field = field, Description = description });

    public void AddIf(bool wrong, string field, string description)
    {
        if (wrong) Add(field, description);
    }

    /// <summary>A text of <paramref name="min"/> to <paramref name="max"/> bytes of UTF-8 without control characters.</summary>
    public void CheckLine(string value, int min, int max, string field)
    {
        if (LineFault(value, min, max) is { } fault) Add(field, fault);
    }

    /// <summary>What is wrong with a line of text; null if nothing.</summary>
    public static string? LineFault(string value, int min, int max)
    {
        if (value.Length == 0 && min > 0) return "is required";
        if (Encoding.UTF8.GetByteCount(value) is var bytes && (bytes < min || bytes > max)) return $"must have {min} to {max} bytes";
        return value.Any(char.IsControl) ? "must not contain control characters" : null;
    }

    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT, if anything was found.</exception>
    public void ThrowIfAny()
    {
        if (_found.Count > 0) throw ApiErrors.InvalidArgument(_found);
    }
}
