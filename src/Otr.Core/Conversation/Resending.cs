using System.Security.Cryptography;

namespace Otr.Core;

/// <summary>The last text sent in a session, while it may have to be sent again.</summary>
/// <param name="Since">Unix ms.</param>
/// <param name="For">The key that it was sent to; it is sent to no other.</param>
internal sealed record SentText(byte[] Text, long Since, Fingerprint For)
{
    /// <summary>The peer has reported an error since.</summary>
    public bool IsLost { get; set; }

    public void Wipe() => CryptographicOperations.ZeroMemory(Text);

    public override string ToString() => nameof(SentText);
}

/// <summary>
/// Sends the last text again after the peer could not read it (checklist A16): once, within
/// <see cref="OtrLimits.ResendWindow"/>, to the same instance and the same key. libotr asks for neither, which hands the
/// text to whoever forges an error and answers the new exchange.
/// </summary>
internal static class Resending
{
    private static ReadOnlySpan<byte> Prefix => "[resent] "u8;

    /// <summary>A text has left in this session.</summary>
    public static void Remember(in StepContext step, Session session, ReadOnlySpan<byte> text)
    {
        if (step.State.Settings.ResendsLast) session.SetLast(new SentText(text.ToArray(), step.Now, session.Peer!.Value));
    }

    /// <summary>The peer reported an error. It does not say of what, nor which instance it is.</summary>
    public static void MarkLost(in StepContext step)
    {
        foreach (var session in step.State.Sessions)
        {
            if (session.Last is not { IsLost: false } last) continue;
            last.IsLost = true;
            step.Changed();
        }
    }

    /// <summary>A new exchange has completed: what was lost goes out in it, or is forgotten.</summary>
    public static void Complete(in StepContext step, Session session)
    {
        if (session.Last is not { } last) return;
        if (last.IsLost && last.For == session.Peer && !Timers.IsOver(step.Now, last.Since, OtrLimits.ResendWindow))
        {
            byte[] text = [.. Prefix, .. last.Text];
            OutgoingData.Send(step, session, 0, text, null, default);
            CryptographicOperations.ZeroMemory(text);
            step.Add(new OtrEffect.Noted(NoteKind.Resent));
        }
        session.SetLast(null);
    }

    /// <summary>Forgets a text that is too old to be sent again.</summary>
    public static void Expire(in StepContext step, Session session)
    {
        if (session.Last is not { } last || !Timers.IsOver(step.Now, last.Since, OtrLimits.ResendWindow)) return;
        session.SetLast(null);
        step.Changed();
    }
}
