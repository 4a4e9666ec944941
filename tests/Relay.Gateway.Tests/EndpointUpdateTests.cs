using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Relay.Gateway.Tests.Harness;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>What an endpoint's owner chooses, and changes.</summary>
public sealed class EndpointUpdateTests
{
    private static UpdateEndpointRequest Update(string name, string etag, Action<Endpoint> change, params string[] mask)
    {
        var request = new UpdateEndpointRequest { Endpoint = new Endpoint { Name = name, Etag = etag }, UpdateMask = new FieldMask() };
        change(request.Endpoint);
        request.UpdateMask.Paths.AddRange(mask);
        return request;
    }

    [Fact]
    public async Task Fields_are_changed_by_mask_and_etag()
    {
        await using var server = await TestServer.StartAsync();
        var name = await server.CreateEndpointAsync("e");
        var api = server.Admin.Endpoints;
        var made = await api.GetEndpointAsync(new GetEndpointRequest { Name = name });
        Assert.Equal(("1", "", false, false, 1_209_600L, 120L),
            (made.Etag, made.DisplayName, made.SingleLine, made.HasQueryText, made.SessionIdleLife.Seconds, made.VerificationAnswerTime.Seconds));

        var updated = await api.UpdateEndpointAsync(Update(name, "1", e =>
        {
            (e.DisplayName, e.QueryText, e.MaxWireBytes, e.SingleLine) = ("Support", "Hallo", 400, true);
            e.Policy = new Policy { KeyChange = Policy.Types.KeyChange.Refuse, AllowV2 = true };
            e.SessionIdleLife = Duration.FromTimeSpan(TimeSpan.FromHours(1));
        }, "display_name", "query_text", "max_wire_bytes", "single_line", "policy.key_change", "session_idle_life"));
        Assert.Equal(("2", "Support", "Hallo", 400U, true, 3600L),
            (updated.Etag, updated.DisplayName, updated.QueryText, updated.MaxWireBytes, updated.SingleLine, updated.SessionIdleLife.Seconds));
        // Of the policy only what the mask names.
        Assert.Equal((Policy.Types.KeyChange.Refuse, false, true), (updated.Policy.KeyChange, updated.Policy.AllowV2, updated.Policy.AllowV3));
        Assert.Equal(updated, await api.GetEndpointAsync(new GetEndpointRequest { Name = name }));

        // Somebody else's change is not overwritten; without an etag it is.
        await Expect.RefusedAsync(StatusCode.Aborted, "ETAG_MISMATCH", async () => await api.UpdateEndpointAsync(Update(name, "1", e => e.DisplayName = "x", "display_name")));
        Assert.Equal("x", (await api.UpdateEndpointAsync(Update(name, "", e => e.DisplayName = "x", "display_name"))).DisplayName);
        // An unset field that the mask names gets its default back.
        var reset = await api.UpdateEndpointAsync(Update(name, "", _ => { }, "query_text", "display_name", "session_idle_life", "policy"));
        Assert.Equal((false, "", 1_209_600L, Policy.Types.KeyChange.Report, true), (reset.HasQueryText, reset.DisplayName, reset.SessionIdleLife.Seconds, reset.Policy.KeyChange, reset.Policy.RequireEncryption));
        Assert.Equal(400U, reset.MaxWireBytes);
        // Also one of the policy alone: never "in the clear" because nothing was said.
        await api.UpdateEndpointAsync(Update(name, "", e => e.Policy = new Policy { RequireEncryption = false, AllowV3 = false, AllowV2 = true }, "policy"));
        foreach (var policy in new[] { null, new Policy() })
        {
            var safe = await api.UpdateEndpointAsync(Update(name, "", e => e.Policy = policy, "policy.require_encryption", "policy.allow_v3"));
            Assert.Equal((true, true, true), (safe.Policy.RequireEncryption, safe.Policy.AllowV3, safe.Policy.AllowV2));
            await api.UpdateEndpointAsync(Update(name, "", e => e.Policy = new Policy { RequireEncryption = false, AllowV3 = false }, "policy.require_encryption", "policy.allow_v3"));
        }
    }

    [Fact]
    public async Task The_form_of_private_texts_is_set_and_reset()
    {
        await using var server = await TestServer.StartAsync();
        var name = await server.CreateEndpointAsync("e");
        var api = server.Admin.Endpoints;
        Assert.Equal(Endpoint.Types.TextFormat.Auto, (await api.GetEndpointAsync(new GetEndpointRequest { Name = name })).TextFormat);
        foreach (var (set, read) in new[]
        {
            (Endpoint.Types.TextFormat.Html, Endpoint.Types.TextFormat.Html),
            (Endpoint.Types.TextFormat.Plain, Endpoint.Types.TextFormat.Plain),
            (Endpoint.Types.TextFormat.Unspecified, Endpoint.Types.TextFormat.Auto),
        })
        {
            Assert.Equal(read, (await api.UpdateEndpointAsync(Update(name, "", e => e.TextFormat = set, "text_format"))).TextFormat);
            // Another field's update leaves it.
            await api.UpdateEndpointAsync(Update(name, "", e => e.DisplayName = "x", "display_name"));
            Assert.Equal(read, (await api.GetEndpointAsync(new GetEndpointRequest { Name = name })).TextFormat);
        }
        await Expect.FieldsAsync(
            async () => await api.UpdateEndpointAsync(Update(name, "", e => e.TextFormat = (Endpoint.Types.TextFormat)9, "text_format")),
            "endpoint.text_format");
    }

    [Fact]
    public async Task What_is_wrong_is_said_and_changes_nothing()
    {
        await using var server = await TestServer.StartAsync();
        var name = await server.CreateEndpointAsync("e");
        var api = server.Admin.Endpoints;
        var before = await api.GetEndpointAsync(new GetEndpointRequest { Name = name });
        await Expect.FieldsAsync(async () => await api.UpdateEndpointAsync(new UpdateEndpointRequest()), "endpoint.name", "update_mask");
        await Expect.FieldsAsync(async () => await api.UpdateEndpointAsync(Update(name, "new", _ => { }, "account", "nothing")), "endpoint.etag", "update_mask", "update_mask");
        await Expect.FieldsAsync(async () => await api.UpdateEndpointAsync(Update(name, "", e =>
        {
            (e.DisplayName, e.QueryText, e.MaxWireBytes, e.PaddingBlock) = (new string('x', 101), "two\nlines", 139, 4097);
            e.Policy = new Policy { KeyChange = (Policy.Types.KeyChange)9, RequireVerified = (Policy.Types.RequireVerified)9 };
            e.SessionIdleLife = Duration.FromTimeSpan(TimeSpan.FromSeconds(1));
            e.VerificationAnswerTime = new Duration { Seconds = long.MaxValue };
        }, "display_name", "query_text", "max_wire_bytes", "padding_block", "policy", "session_idle_life", "verification_answer_time")),
            "endpoint.display_name", "endpoint.query_text", "endpoint.max_wire_bytes", "endpoint.padding_block", "endpoint.policy.key_change",
            "endpoint.policy.require_verified", "endpoint.session_idle_life", "endpoint.verification_answer_time");
        await Expect.RefusedAsync(StatusCode.NotFound, "ENDPOINT_NOT_FOUND", async () => await api.UpdateEndpointAsync(Update("endpoints/none", "", e => e.DisplayName = "x", "display_name")));
        var bot = await server.ConnectAsync(Scope.Bot);
        await Expect.RefusedAsync(StatusCode.PermissionDenied, "SCOPE_MISSING", async () => await bot.Endpoints.UpdateEndpointAsync(Update(name, "", e => e.DisplayName = "x", "display_name")));
        Assert.Equal(before, await api.GetEndpointAsync(new GetEndpointRequest { Name = name }));
    }

    [Fact]
    public async Task The_command_changes_what_was_named()
    {
        await using var server = await TestServer.StartAsync();
        await server.CreateEndpointAsync("e");
        var environment = new Dictionary<string, string> { ["RELAY_SERVER"] = server.Address.ToString(), ["RELAY_KEY_FILE"] = Path.Combine(server.DataDirectory, "admin.key") };
        var updated = await Terminal.RunAsync(environment, null, "endpoints", "update", "e", "--require-verified", "always", "--allow-clear", "true",
            "--query-text", "Bitte OTR", "--idle-life", "12h", "--answer-time", "0", "--name", "Support", "--padding", "256",
            "--text-format", "html");
        Assert.Equal((0, ""), (updated.Code, updated.Error));
        foreach (var line in new[]
        {
            "endpoints/e (Support)", "clear text allowed", "text goes to verified keys only", "are declined", "Bitte OTR", "12 hours",
            "private text     HTML\n",
        })
            Assert.Contains(line, updated.Out, StringComparison.Ordinal);
        var endpoint = await server.Admin.Endpoints.GetEndpointAsync(new GetEndpointRequest { Name = "endpoints/e" });
        Assert.Equal((256U, true, "2", Endpoint.Types.TextFormat.Html),
            (endpoint.PaddingBlock, endpoint.Policy.AllowV3, endpoint.Etag, endpoint.TextFormat));
        Assert.Equal(2, (await Terminal.RunAsync(environment, null, "endpoints", "update", "e")).Code);
        Assert.Equal(2, (await Terminal.RunAsync(environment, null, "endpoints", "update", "e", "--require-verified", "maybe")).Code);
        Assert.Equal(2, (await Terminal.RunAsync(environment, null, "endpoints", "update", "e", "--idle-life", "soon")).Code);
        Assert.Equal(2, (await Terminal.RunAsync(environment, null, "endpoints", "update", "e", "--text-format", "rtf")).Code);
        Assert.Equal(5, (await Terminal.RunAsync(environment, null, "endpoints", "update", "none", "--name", "x")).Code);
    }
}
