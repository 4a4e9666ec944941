using Grpc.Core;
using Relay.Client;

namespace Relay.Gateway.Tests.Harness;

/// <summary>What a call must be refused with.</summary>
public static class Expect
{
    public static async Task<RelayException> RefusedAsync(StatusCode code, string reason, Func<Task> call)
    {
        var e = RelayException.From(await Assert.ThrowsAsync<RpcException>(call));
        Assert.Equal((code, reason), (e.Code, e.Reason));
        return e;
    }

    public static async Task FieldsAsync(Func<Task> call, params string[] fields)
    {
        var e = await RefusedAsync(StatusCode.InvalidArgument, "INVALID_ARGUMENT", call);
        Assert.Equal(fields.Order(), e.Violations.Select(v => v.Field).Order());
        Assert.All(e.Violations, v => Assert.NotEmpty(v.Description));
    }
}
