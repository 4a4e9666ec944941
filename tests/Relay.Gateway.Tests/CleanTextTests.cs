using System.Text;
using Relay.Actors;
using Relay.Client;
using Relay.Gateway.Tests.Harness;
using Relay.Storage;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>The form of a text that a bot may show.</summary>
public sealed class CleanTextTests
{
    [Fact]
    public async Task A_text_is_offered_raw_and_clean()
    {
        (string Raw, string Clean)[] texts =
        [
            ("plain, Grüße, 漢字, 👍🏽, \u200f\u05d0", "plain, Grüße, 漢字, 👍🏽, \u200f\u05d0"),
            ("a\0b\u001b[2Jc\u0007\u0008d\u007fe", "ab[2Jcde"),
            ("\u009b31mred\u0080\u009f", "31mred"),
            ("tab\tline\nwindows\r\nmac\rnext\u0085end\r", "tab\tline\nwindows\nmac\nnext\nend\n"),
            ("exe\u202efdp.\u202c\u202a\u202b\u202d \u2066a\u2067b\u2068c\u2069", "exefdp. abc"),
        ];
        var relay = new FakeRelay();
        await using var server = await TestServer.StartAsync(relay);
        foreach (var (raw, _) in texts) relay.Stream("e", StreamKind.Events).Add(new OutboxBody.TextReceived(Encoding.UTF8.GetBytes(raw), true, false, null));
        relay.Stream("e", StreamKind.Events).Add(new OutboxBody.Notice("N", default));
        var read = new List<BotEvent>();
        await foreach (var e in (await server.ConnectAsync(Scope.Bot)).Bot("endpoints/e").Events(Patience.Token))
        {
            read.Add(e);
            if (read.Count > texts.Length) break;
        }
        Assert.Equal(texts, read.Take(texts.Length).Select(e => (e.Text!, e.CleanText!)));
        Assert.Null(read[^1].CleanText);
    }
}
