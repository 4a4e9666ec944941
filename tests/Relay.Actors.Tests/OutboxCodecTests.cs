using Otr.Core;
using Relay.Actors.Files;
using Relay.Actors.Outbox;
using Relay.Storage.Sealing;

namespace Relay.Actors.Tests;

/// <summary>The clear form of stream rows.</summary>
public class OutboxCodecTests
{
    [Fact]
    public void A_damaged_row_is_null_whatever_is_cut_or_added()
    {
        var session = new SessionInfo(MessageState.Encrypted, 3, 0x100, 0x200, new Fingerprint(new byte[20]), 5, true);
        OutboxBody[] bodies =
        [
            new OutboxBody.WireText("?OTR"u8.ToArray()), new OutboxBody.TextReceived("ü"u8.ToArray(), true, false, new Fingerprint(new byte[20])),
            new OutboxBody.TextReceived(default, false, true, null), new OutboxBody.SessionChanged(session, SessionCause.Expired, true, false),
            new OutboxBody.TextReceived(default, true, false, null) { IsVerified = true },
            new OutboxBody.SessionChanged(session, SessionCause.KeyExchange, false, true) { IsVerified = true },
            new OutboxBody.VerificationChanged(new VerificationView(7, VerificationState.Failed, VerificationEnd.SecretsDiffer, true, "où?",
                new Fingerprint(new byte[20]), true, Time(1), Time(2), Time(3))),
            new OutboxBody.IdentityChanged(
                new IdentityView(new Fingerprint(new byte[56]), TrustLevel.Smp, "note é", Time(4), null, Time(5))),
            new OutboxBody.TextReceived(default, true, false, null) { IsKeyHeld = true },
            new OutboxBody.SessionChanged(session, SessionCause.KeyExchange, true, true) { IsKeyHeld = true },
            new OutboxBody.VerificationChanged(new VerificationView(8, VerificationState.Cancelled, VerificationEnd.TooManyAttempts, true, "",
                new Fingerprint(new byte[20]), false, Time(1), Time(2), Time(3)) { IsAutomatic = true }),
            new OutboxBody.IdentityChanged(
                new IdentityView(new Fingerprint(new byte[20]), TrustLevel.Untrusted, "", null, null, null) { Standing = KeyStanding.Held }),
            new OutboxBody.MessageDropped("r", "EXPIRED") { MessageId = "m" },
            new OutboxBody.WireText("?OTR:"u8.ToArray()) { Message = UInt128.MaxValue, Piece = 2, Pieces = 3 },
            new OutboxBody.TextReceived(default, true, false, null) { NetworkTime = Time(-5) },
            new OutboxBody.MessageChanged(new MessageView("m", MessageStatus.Undeliverable, "BLOCKED", Time(6), Time(7))),
            new OutboxBody.Notice("PEER_ERROR", "x"u8.ToArray()),
            new OutboxBody.WireText("?OTR:"u8.ToArray()) { File = "f" },
            new OutboxBody.FileChanged(new FileView("e", "f", "c", "p", "é.txt", "text/plain", 7, 6, new byte[32], FileState.Offered,
                "https://x.example/", Time(8), Time(9)) { TransferId = 5, BlobStored = 4, NextBlobPart = 3 }),
        ];
        foreach (var body in bodies)
        {
            using var row = new RowWriter();
            OutboxCodec.Write(row, 1_700_000_000_123, "conversation", "peer", body);
            var bytes = row.Written.ToArray();
            var item = OutboxCodec.TryRead(9, bytes)!;
            Assert.Equal((9UL, 1_700_000_000_123, "conversation", "peer"), (item.Sequence, item.Time.ToUnixTimeMilliseconds(), item.ConversationId, item.Peer));
            AssertSame(body, item.Body);
            for (int i = 0; i < bytes.Length; i++) Assert.Null(OutboxCodec.TryRead(9, bytes.AsSpan(0, i)));
            Assert.Null(OutboxCodec.TryRead(9, [.. bytes, 0]));
        }
    }

    private static DateTimeOffset Time(long ms) => DateTimeOffset.FromUnixTimeMilliseconds(ms);

    [Fact]
    public void Every_kind_of_body_has_a_row() => Assert.Equal(
        typeof(OutboxBody).GetNestedTypes().Where(t => t.IsSubclassOf(typeof(OutboxBody))).Select(t => t.Name).Order(),
        new[]
        {
            nameof(OutboxBody.FileChanged), nameof(OutboxBody.IdentityChanged), nameof(OutboxBody.MessageChanged), nameof(OutboxBody.MessageDropped), nameof(OutboxBody.Notice),
            nameof(OutboxBody.SessionChanged),
            nameof(OutboxBody.TextReceived), nameof(OutboxBody.VerificationChanged), nameof(OutboxBody.WireText),
        });

    private static void AssertSame(OutboxBody expected, OutboxBody actual)
    {
        switch (expected, actual)
        {
            case (OutboxBody.WireText e, OutboxBody.WireText a):
                Assert.Equal(e.Text.ToArray(), a.Text.ToArray());
                Assert.Equal(e with { Text = default }, a with { Text = default });
                break;
            case (OutboxBody.TextReceived e, OutboxBody.TextReceived a):
                Assert.Equal(e.Utf8.ToArray(), a.Utf8.ToArray());
                Assert.Equal(e with { Utf8 = default }, a with { Utf8 = default });
                break;
            case (OutboxBody.Notice e, OutboxBody.Notice a):
                Assert.Equal(e.Utf8.ToArray(), a.Utf8.ToArray());
                Assert.Equal(e.Code, a.Code);
                break;
            case (OutboxBody.FileChanged { File: var e }, OutboxBody.FileChanged { File: var a }):
                Assert.Equal(e.Sha256.ToArray(), a.Sha256.ToArray());
                Assert.Equal(e with { Sha256 = default }, a with { Sha256 = default });
                break;
            default:
                Assert.Equal(expected, actual);
                break;
        }
    }
}
