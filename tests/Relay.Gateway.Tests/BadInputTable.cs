using System.Text.RegularExpressions;
using Google.Api;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Relay.V1;
using EndpointReflection = Relay.V1.EndpointReflection;

namespace Relay.Gateway.Tests;

/// <summary>
/// A request of every method that is well formed, about the endpoint <c>mine</c>, and the scope of a caller that may send it. What is wrong
/// with it is up to <see cref="BadInputTests"/>.
/// </summary>
internal static partial class BadInputTable
{
    private const string Conversation = "endpoints/mine/conversations/aaaaaaaaaaaaaaaaaaaaaaaaaa", Subscription = "endpoints/mine/subscriptions/s",
        File = "endpoints/mine/files/aaaaaaaaaaaaaaaaaaaaaaaaaa";

    private const string Named = $$"""{"name":"{{Conversation}}"}""", Parented = $$"""{"parent":"{{Conversation}}"}""";

    private static readonly Dictionary<string, (Scope Scope, string Json)> s_rows = new()
    {
        ["CreateEndpoint"] = (Scope.Admin, """{"requestId":"r","endpointId":"new","network":"n","account":"a"}"""),
        ["GetEndpoint"] = (Scope.Bot, """{"name":"endpoints/mine"}"""),
        ["ListEndpoints"] = (Scope.Bot, "{}"),
        ["UpdateEndpoint"] = (Scope.Admin, """{"endpoint":{"name":"endpoints/mine","displayName":"x"},"updateMask":"displayName"}"""),
        ["DeleteEndpoint"] = (Scope.Admin, """{"name":"endpoints/mine"}"""),
        ["UndeleteEndpoint"] = (Scope.Admin, """{"name":"endpoints/mine"}"""),
        ["RotateIdentity"] = (Scope.Keys, """{"requestId":"r","name":"endpoints/mine"}"""),
        ["ExportIdentity"] = (Scope.Keys, """{"name":"endpoints/mine","passphrase":"correct horse battery staple"}"""),
        ["ImportIdentity"] = (Scope.Keys, """{"requestId":"r","endpointId":"new","content":"eA==","passphrase":"correct horse battery staple"}"""),
        ["GetEndpointStatus"] = (Scope.Bot, """{"name":"endpoints/mine/status"}"""),
        ["GetConversation"] = (Scope.Bot, Named),
        ["ListConversations"] = (Scope.Trust, """{"parent":"endpoints/mine"}"""),
        ["ResolveConversation"] = (Scope.Bot, """{"parent":"endpoints/mine","peer":"p"}"""),
        ["UpdateConversation"] = (Scope.Bot, $$"""{"requestId":"r","conversation":{"name":"{{Conversation}}","labels":{"team":"sales"} },"updateMask":"labels"}"""),
        ["DeleteConversation"] = (Scope.Admin, $$"""{"requestId":"r","name":"{{Conversation}}"}"""),
        ["StartSession"] = (Scope.Bot, """{"requestId":"r","parent":"endpoints/mine","peer":"p"}"""),
        ["EndSession"] = (Scope.Bot, """{"requestId":"r","parent":"endpoints/mine","peer":"p"}"""),
        ["ListIdentities"] = (Scope.Trust, Parented),
        ["GetIdentity"] = (Scope.Bot, $$"""{"name":"{{Conversation}}/identities/0000000000000000000000000000000000000000"}"""),
        ["UpdateIdentity"] = (Scope.Trust, $$"""{"requestId":"r","identity":{"name":"{{Conversation}}/identities/0000000000000000000000000000000000000000","trust":"TRUST_VERIFIED"},"updateMask":"trust"}"""),
        ["AcceptIdentity"] = (Scope.Trust, $$"""{"requestId":"r","name":"{{Conversation}}/identities/0000000000000000000000000000000000000000"}"""),
        ["RefuseIdentity"] = (Scope.Bot, $$"""{"requestId":"r","name":"{{Conversation}}/identities/0000000000000000000000000000000000000000"}"""),
        ["ImportIdentities"] = (Scope.Trust, """{"requestId":"r","parent":"endpoints/mine","peers":[{"peer":"p","identities":[{"fingerprint":"0000000000000000000000000000000000000000"}]}]}"""),
        ["CreateVerification"] = (Scope.Trust, $$"""{"requestId":"r","parent":"{{Conversation}}","secret":"s"}"""),
        ["GetVerification"] = (Scope.Bot, $$"""{"name":"{{Conversation}}/verifications/1"}"""),
        ["ListVerifications"] = (Scope.Bot, Parented),
        ["AnswerVerification"] = (Scope.Trust, $$"""{"requestId":"r","name":"{{Conversation}}/verifications/1","secret":"s"}"""),
        ["CancelVerification"] = (Scope.Bot, $$"""{"requestId":"r","name":"{{Conversation}}/verifications/1"}"""),
        ["SetAnswerSecret"] = (Scope.Trust, """{"requestId":"r","parent":"endpoints/mine","peer":"p","secret":"s"}"""),
        ["ClearAnswerSecret"] = (Scope.Bot, """{"requestId":"r","parent":"endpoints/mine","peer":"p"}"""),
        ["SendMessage"] = (Scope.Bot, """{"requestId":"r","parent":"endpoints/mine","peer":"p","text":"t"}"""),
        ["GetMessage"] = (Scope.Bot, $$"""{"name":"{{Conversation}}/messages/aaaaaaaaaaaaaaaaaaaaaaaaaa"}"""),
        ["ListMessages"] = (Scope.Bot, Parented),
        ["CancelMessage"] = (Scope.Bot, $$"""{"requestId":"r","name":"{{Conversation}}/messages/aaaaaaaaaaaaaaaaaaaaaaaaaa"}"""),
        ["CreateFile"] = (Scope.Bot, """{"requestId":"r","parent":"endpoints/mine","peer":"p","fileName":"a.txt","mediaType":"text/plain","size":"1"}"""),
        ["GetFile"] = (Scope.Bot, $$"""{"name":"{{File}}"}"""),
        ["ListFiles"] = (Scope.Bot, """{"parent":"endpoints/mine"}"""),
        ["UploadFile"] = (Scope.Bot, $$"""{"name":"{{File}}","offset":"0","data":"eA=="}"""),
        ["CompleteFile"] = (Scope.Bot, $$"""{"requestId":"r","name":"{{File}}"}"""),
        ["DownloadFile"] = (Scope.Bot, $$"""{"name":"{{File}}"}"""),
        ["DeleteFile"] = (Scope.Bot, $$"""{"name":"{{File}}"}"""),
        ["DownloadBlob"] = (Scope.Bridge, $$"""{"name":"{{File}}"}"""),
        ["UploadBlob"] = (Scope.Bridge, """{"endpoint":"endpoints/mine","peer":"p","transferId":"AAAAAAAAAAAAAAAAAAAAAA==","offset":"0","data":"eA=="}"""),
        ["StreamEvents"] = (Scope.Bot, """{"open":{"endpoint":"endpoints/mine"}}"""),
        ["WatchEvents"] = (Scope.Bot, """{"endpoint":"endpoints/mine"}"""),
        ["PullEvents"] = (Scope.Bot, """{"endpoint":"endpoints/mine"}"""),
        ["AckEvents"] = (Scope.Bot, """{"endpoint":"endpoints/mine","sequence":"0"}"""),
        ["CreateSubscription"] = (Scope.Bot, """{"parent":"endpoints/mine","subscriptionId":"new"}"""),
        ["GetSubscription"] = (Scope.Monitor, $$"""{"name":"{{Subscription}}"}"""),
        ["ListSubscriptions"] = (Scope.Bot, """{"parent":"endpoints/mine"}"""),
        ["UpdateSubscription"] = (Scope.Bot, $$"""{"subscription":{"name":"{{Subscription}}","maxDeliveries":3},"updateMask":"maxDeliveries"}"""),
        ["DeleteSubscription"] = (Scope.Bot, $$"""{"name":"{{Subscription}}"}"""),
        ["PullSubscription"] = (Scope.Bot, $$"""{"name":"{{Subscription}}"}"""),
        ["WatchSubscription"] = (Scope.Bot, $$"""{"name":"{{Subscription}}"}"""),
        ["Subscribe"] = (Scope.Bot, $$"""{"attach":{"name":"{{Subscription}}","credit":1} }"""),
        ["AckSubscription"] = (Scope.Bot, $$"""{"name":"{{Subscription}}","cursors":["1"]}"""),
        ["NackSubscription"] = (Scope.Bot, $$"""{"name":"{{Subscription}}","cursors":["1"]}"""),
        ["SeekSubscription"] = (Scope.Bot, $$"""{"name":"{{Subscription}}","time":"2026-01-01T00:00:00Z"}"""),
        ["ListDeadLetters"] = (Scope.Bot, $$"""{"parent":"{{Subscription}}"}"""),
        ["RetryDeadLetters"] = (Scope.Bot, $$"""{"parent":"{{Subscription}}","cursors":["1"]}"""),
        ["DropDeadLetters"] = (Scope.Bot, $$"""{"parent":"{{Subscription}}","cursors":["1"]}"""),
        ["StreamWire"] = (Scope.Bridge, """{"open":{"endpoint":"endpoints/mine"}}"""),
        ["PushWire"] = (Scope.Bridge, """{"message":{"endpoint":"endpoints/mine","peer":"p","messageId":"1","text":"eA=="}}"""),
        ["PullWire"] = (Scope.Bridge, """{"endpoint":"endpoints/mine"}"""),
        ["AckWire"] = (Scope.Bridge, """{"endpoint":"endpoints/mine","sequence":"0"}"""),
        ["SettleWire"] = (Scope.Bridge, """{"endpoint":"endpoints/mine","settlements":[{"sequence":"1","failure":"REFUSED"}]}"""),
        ["CreateApiKey"] = (Scope.Keys, """{"requestId":"r","scopes":["BOT"],"endpoints":["endpoints/mine"]}"""),
        ["ListApiKeys"] = (Scope.Monitor, "{}"),
        ["RotateApiKey"] = (Scope.Keys, """{"requestId":"r","name":"apiKeys/aaaaaaaaaaaaaaaa"}"""),
        ["UpdateApiKey"] = (Scope.Keys, """{"apiKey":{"name":"apiKeys/aaaaaaaaaaaaaaaa","displayName":"x"},"updateMask":"displayName"}"""),
        ["RevokeApiKey"] = (Scope.Keys, """{"name":"apiKeys/aaaaaaaaaaaaaaaa"}"""),
        ["DeleteApiKey"] = (Scope.Keys, """{"name":"apiKeys/aaaaaaaaaaaaaaaa"}"""),
        ["GetCaller"] = (Scope.Bot, "{}"),
        ["GetServer"] = (Scope.Monitor, "{}"),
        ["ListNodes"] = (Scope.Monitor, "{}"),
        ["ListAuditEntries"] = (Scope.Monitor, "{}"),
    };

    /// <summary>Every method of the descriptors; one without a row is missed by name.</summary>
    public static IEnumerable<MethodDescriptor> Methods => typeof(EndpointReflection).Assembly.GetTypes()
        .Where(t => t.Namespace == typeof(EndpointReflection).Namespace && t.Name.EndsWith("Reflection", StringComparison.Ordinal))
        .Select(t => (FileDescriptor)t.GetProperty("Descriptor")!.GetValue(null)!).SelectMany(f => f.Services).SelectMany(s => s.Methods);

    public static int Count => s_rows.Count;

    public static Scope ScopeOf(MethodDescriptor method) => s_rows[method.Name].Scope;

    public static IMessage Request(MethodDescriptor method, Func<string, string>? change = null) =>
        JsonParser.Default.Parse((change ?? (j => j))(s_rows[method.Name].Json), method.InputType);

    /// <summary>The HTTP call of a request; null for a method that has none.</summary>
    public static (HttpMethod Verb, string Path, string? Body)? Http(MethodDescriptor method, IMessage request)
    {
        if (method.IsClientStreaming || method.GetOptions()?.GetExtension(AnnotationsExtensions.Http) is not { } rule) return null;
        // The second pattern is the one whose parent is an endpoint.
        foreach (var one in rule.AdditionalBindings.Prepend(rule))
        {
            if (Http(one, request) is { } call) return call;
        }
        return null;
    }

    private static (HttpMethod, string, string?)? Http(HttpRule rule, IMessage request)
    {
        var json = System.Text.Json.Nodes.JsonNode.Parse(JsonFormatter.Default.Format(request))!.AsObject();
        var (verb, pattern) = rule.PatternCase switch
        {
            HttpRule.PatternOneofCase.Get => (HttpMethod.Get, rule.Get),
            HttpRule.PatternOneofCase.Post => (HttpMethod.Post, rule.Post),
            HttpRule.PatternOneofCase.Delete => (HttpMethod.Delete, rule.Delete),
            _ => (HttpMethod.Patch, rule.Patch),
        };
        var fits = true;
        var path = Variable().Replace(pattern, v =>
        {
            var names = v.Groups[1].Value.Split('.');
            var holder = names.Length == 1 ? json : json[names[0]]?.AsObject();
            var value = holder?[names[^1]]?.GetValue<string>() ?? "";
            holder?.Remove(names[^1]);
            fits &= value.Split('/').Length == v.Groups[2].Value.Split('/').Length;
            return value;
        });
        if (!fits) return null;
        System.Text.Json.Nodes.JsonNode? body = null;
        if (rule.Body == "*") body = json;
        else if (rule.Body.Length > 0)
        {
            body = json[rule.Body];
            json.Remove(rule.Body);
        }
        var query = rule.Body == "*" ? "" : string.Join('&', json.Select(p => $"{p.Key}={Uri.EscapeDataString(p.Value!.ToString())}"));
        return (verb, query.Length > 0 ? path + "?" + query : path, body?.ToJsonString());
    }

    [GeneratedRegex(@"\{([a-z_.]+)=([^}]*)\}")]
    private static partial Regex Variable();
}
