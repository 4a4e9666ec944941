using System.Text;
using Otr.Core.Smp;
using Otr.Core.V3.Smp;
using Otr.Core.Wire;

namespace Otr.Core.Tests.Smp;

/// <summary>Whole runs against python3-potr: payloads, proofs, roles and the derivation of the secret agree.</summary>
public sealed class SmpPotrTests
{
    private const ulong Ssid = 0x0123456789abcdef;
    private const int PotrSucceeded = 1, PotrFailed = -1;
    private static readonly Fingerprint Ours = new(Enumerable.Repeat((byte)0xA1, 20).ToArray());
    private static readonly Fingerprint Theirs = new(Enumerable.Repeat((byte)0xB2, 20).ToArray());

    private readonly CancellationToken _cancellation = TestContext.Current.CancellationToken;

    [Theory(Timeout = 60_000)]
    [InlineData("swordfish", null)]
    [InlineData("schöne Grüße", "Wo?")]
    public async Task We_start_with_potr(string secret, string? question)
    {
        Assert.SkipWhen(PotrSmpPeer.Missing is not null, PotrSmpPeer.Missing ?? "");
        using var potr = new PotrSmpPeer(Theirs, Ours, Ssid);
        using var state = new SmpState(SmpArithmetic3.Instance);
        var random = SystemRandom.Instance;
        var started = state.Start(Secret(Ours, Theirs, secret), question is null ? null : Encoding.UTF8.GetBytes(question), random);
        await potr.Take(started.Send!, _cancellation);
        var message2 = (await potr.Do("answer " + Hex(secret), _cancellation)).Sent!;
        var message3 = state.Receive(message2.Type, message2.Value, random).Send!;
        Assert.Equal(TlvType.Smp3, message3.Type);
        var (message4, progress) = await potr.Take(message3, _cancellation);
        Assert.Equal(PotrSucceeded, progress);
        Assert.Equal(SmpOutcome.Success, state.Receive(message4!.Type, message4.Value, random).Outcome);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("swordfish", null)]
    [InlineData("schöne Grüße", "Wo?")]
    public async Task Potr_starts_with_us(string secret, string? question)
    {
        Assert.SkipWhen(PotrSmpPeer.Missing is not null, PotrSmpPeer.Missing ?? "");
        using var potr = new PotrSmpPeer(Theirs, Ours, Ssid);
        using var state = new SmpState(SmpArithmetic3.Instance);
        var random = SystemRandom.Instance;
        var message1 = (await potr.Do($"start {Hex(secret)}" + (question is null ? "" : " " + Hex(question)), _cancellation)).Sent!;
        var request = state.Receive(message1.Type, message1.Value, random).Request!;
        Assert.Equal(question, request.Question is null ? null : Encoding.UTF8.GetString(request.Question));
        var message2 = state.Answer(request.Token, Secret(Theirs, Ours, secret), random).Send!;
        var message3 = (await potr.Take(message2, _cancellation)).Sent!;
        var end = state.Receive(message3.Type, message3.Value, random);
        Assert.Equal((SmpOutcome.Success, question is not null), (end.Outcome, end.OneWay));
        Assert.Equal(PotrSucceeded, (await potr.Take(end.Send!, _cancellation)).Progress);
    }

    [Fact(Timeout = 60_000), Trait("hostile", "S07")]
    public async Task Potr_has_another_secret()
    {
        Assert.SkipWhen(PotrSmpPeer.Missing is not null, PotrSmpPeer.Missing ?? "");
        using var potr = new PotrSmpPeer(Theirs, Ours, Ssid);
        using var state = new SmpState(SmpArithmetic3.Instance);
        var random = SystemRandom.Instance;
        await potr.Take(state.Start(Secret(Ours, Theirs, "right"), null, random).Send!, _cancellation);
        var message2 = (await potr.Do("answer " + Hex("wrong"), _cancellation)).Sent!;
        var message3 = state.Receive(message2.Type, message2.Value, random).Send!;
        // potr aborts here, where the specification sends message 4.
        var (abort, progress) = await potr.Take(message3, _cancellation);
        Assert.Equal((PotrFailed, TlvType.SmpAbort), (progress, abort!.Type));
        Assert.Equal(SmpOutcome.Failure, state.Receive(abort.Type, abort.Value, random).Outcome);
    }

    [Fact(Timeout = 60_000), Trait("hostile", "S07")]
    public async Task We_have_another_secret_than_potr()
    {
        Assert.SkipWhen(PotrSmpPeer.Missing is not null, PotrSmpPeer.Missing ?? "");
        using var potr = new PotrSmpPeer(Theirs, Ours, Ssid);
        using var state = new SmpState(SmpArithmetic3.Instance);
        var random = SystemRandom.Instance;
        var message1 = (await potr.Do("start " + Hex("right"), _cancellation)).Sent!;
        var token = state.Receive(message1.Type, message1.Value, random).Request!.Token;
        var message3 = (await potr.Take(state.Answer(token, Secret(Theirs, Ours, "wrong"), random).Send!, _cancellation)).Sent!;
        var end = state.Receive(message3.Type, message3.Value, random);
        Assert.Equal((SmpOutcome.Failure, TlvType.Smp4), (end.Outcome, end.Send!.Type));
        Assert.Equal(PotrFailed, (await potr.Take(end.Send, _cancellation)).Progress);
    }

    private static byte[] Secret(Fingerprint initiator, Fingerprint responder, string secret)
    {
        var derived = new byte[SmpSecret.Size];
        SmpSecret.Derive(initiator, responder, Ssid, Encoding.UTF8.GetBytes(secret), derived);
        return derived;
    }

    private static string Hex(string text) => Convert.ToHexString(Encoding.UTF8.GetBytes(text));
}
