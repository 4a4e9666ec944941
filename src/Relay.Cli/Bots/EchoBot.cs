using Relay.Client;
using Relay.V1;
using State = Relay.V1.Verification.Types.State;

namespace Relay.Cli.Bots;

/// <summary>
/// Answers every text with <c>echo: </c> and the text. It does not answer its own answers, and at most so many texts of one peer in a
/// minute, so that two robots stop.
/// </summary>
/// <param name="smpSecret">Null: verifications are declined.</param>
/// <param name="requiresEncryption">
/// The endpoint sends text in private sessions only: in the clear, the bot offers one instead of answering.
/// </param>
/// <param name="refused">Told the reason of each refusal of the server.</param>
/// <param name="noticed">Told the code of each notice about what contacts send.</param>
internal sealed class EchoBot(
    Bot bot, string? smpSecret, bool requiresEncryption, TimeProvider time, Action<string> refused, Action<string> noticed)
{
    public const string Prefix = "echo: ", Request = "!otr please";
    public const string NotPrivate =
        "This conversation is not encrypted: anybody on the way can read it. Write '" + Request + "', and I offer a private session.";
    public const string IsPrivate = "This conversation is private already.";

    /// <summary>Texts of one peer that are answered in a minute.</summary>
    private const int AnswersPerMinute = 60;
    /// <summary>Peers that are counted; beyond that nobody new is answered until the minute is over.</summary>
    private const int MaxPeers = 10_000;
    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);
    private readonly Dictionary<string, (int Answers, bool Warned)> _minute = new(StringComparer.Ordinal);
    private long _minuteBegan = time.GetTimestamp();

    public async Task RunAsync(CancellationToken cancellation)
    {
        await foreach (var e in bot.Events(cancellation))
        {
            if (e.Text is { } text) await AnswerAsync(e, text, cancellation);
            else if (e.Verification is { State: State.WaitingForAnswer } asked) await VerifyAsync(e, asked, cancellation);
            else if (e.Message.Notice is { } notice) noticed(notice.Code);
            await e.AckAsync();
        }
    }

    private async Task AnswerAsync(BotEvent e, string text, CancellationToken cancellation)
    {
        // Another echo, or what comes back of our own.
        if (text.StartsWith(Prefix, StringComparison.Ordinal) || text == NotPrivate) return;
        if (!TryCount(e.Peer, e.IsPrivate, out bool warn)) return;
        if (text.Trim() == Request)
        {
            if (e.IsPrivate) Tell(await e.ReplyAsync(IsPrivate, cancellation));
            else Tell(await OfferAsync(e, cancellation));
        }
        else if (e.IsPrivate || !requiresEncryption)
        {
            Tell(await e.ReplyAsync(Prefix + text, cancellation));
            if (!e.IsPrivate && warn) Tell(await e.ReplyAsync(NotPrivate, cancellation));
        }
        else if (warn)
        {
            // An answer would wait for the session. The offer says what it is to people without OTR.
            Tell(await OfferAsync(e, cancellation));
        }
    }

    private Task<Outcome<StartSessionResponse>> OfferAsync(BotEvent e, CancellationToken cancellation) =>
        bot.StartSessionAsync(e.Endpoint, e.Peer, $"offer-{e.Message.Sequence}", cancellation);

    private async Task VerifyAsync(BotEvent e, Verification asked, CancellationToken cancellation)
    {
        if (smpSecret is not null) Tell(await e.AnswerAsync(smpSecret, cancellation));
        else Tell(await bot.CancelVerificationAsync(asked.Name, $"decline-{e.Message.Sequence}", cancellation));
    }

    private void Tell<T>(Outcome<T> outcome) where T : class
    {
        if (outcome.Refusal is { } refusal) refused(refusal.Reason);
    }

    /// <param name="warn">True once a minute: say that the conversation is not private.</param>
    private bool TryCount(string peer, bool isPrivate, out bool warn)
    {
        if (time.GetElapsedTime(_minuteBegan) >= s_minute)
        {
            _minute.Clear();
            _minuteBegan = time.GetTimestamp();
        }
        var (answers, warned) = _minute.GetValueOrDefault(peer);
        warn = !isPrivate && !warned;
        if (answers >= AnswersPerMinute || (answers == 0 && _minute.Count >= MaxPeers)) return false;
        _minute[peer] = (answers + 1, warned || !isPrivate);
        return true;
    }
}
