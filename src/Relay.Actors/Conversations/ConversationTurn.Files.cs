using System.Security.Cryptography;
using Otr.Core;
using Relay.Actors.Files;
using Relay.Storage;

namespace Relay.Actors.Conversations;

// Files: the extra symmetric key is used within the turn that gets it, and only what it wraps or unwraps is stored.
internal sealed partial class ConversationTurn
{
    /// <summary>The code of the notice about an offer that cannot be read or exceeds a bound.</summary>
    public const string FileNotOffered = "FILE_NOT_OFFERED";

    private readonly List<FileRow> _files = [];

    /// <summary>Offers a file: the peer gets the offer, and the file's row the key wrapped for it, in one commit.</summary>
    private ConversationReply Offer(Command.OfferFile offered)
    {
        var file = offered.File;
        return Step(new StepCause(new OtrInput.ExtraKeyRequested(FileOffer.Use, file.Offer.Encode())) { Offered = offered });
    }

    private void UseExtraKeys(in StepCause cause)
    {
        foreach (var extra in _translator.ExtraKeys)
        {
            try
            {
                if (extra.Use != FileOffer.Use) continue;
                if (extra.Sent) Wrap(cause.Offered!, extra);
                else Take(extra);
            }
            finally
            {
                CryptographicOperations.ZeroMemory(extra.Key);
            }
        }
        _translator.ExtraKeys.Clear();
    }

    private void Wrap(Command.OfferFile offered, OtrEffect.ExtraKey extra)
    {
        var file = offered.File;
        var wrapKey = FileCipher.DeriveWrapKey(extra.Key, file.TransferId, extra.Data.Span);
        var header = FileCipher.Wrap(wrapKey, file.TransferId, file.Key.Span);
        CryptographicOperations.ZeroMemory(wrapKey);
        _files.Add((file with { State = FileState.Sent, Header = header }).Seal(_environment.Sealer, _key.EndpointId, offered.FileId,
            _key.ConversationId, offered.Revision + 1, offered.ExpiresMs, file.Size));
    }

    /// <summary>
    /// Takes a peer's offer. The budget of notices bounds how many, and the store how many are kept; a repeated one does not take the
    /// place of the first.
    /// </summary>
    private void Take(OtrEffect.ExtraKey extra)
    {
        if (!_state.Notices.TrySpend(_nowMs)) return;
        if (FileOffer.TryDecode(extra.Data.Span) is not { } offer || offer.Size > _environment.Files.MaxFileBytes)
        {
            AddRow(StreamKind.Events, new OutboxBody.Notice(FileNotOffered, default));
            return;
        }
        var wrapKey = FileCipher.DeriveWrapKey(extra.Key, offer.TransferId, extra.Data.Span);
        var file = FileRecord.Of(offer, _state.Peer!, wrapKey, _nowMs);
        var id = FileRecord.IncomingId(_environment.Ids, _key.EndpointId, _key.ConversationId, offer.TransferId);
        long expiresMs = _nowMs + (long)_environment.Files.Life.TotalMilliseconds;
        _files.Add(file.Seal(_environment.Sealer, _key.EndpointId, id, _key.ConversationId, 1, expiresMs, 0));
        CryptographicOperations.ZeroMemory(wrapKey);
        AddRow(StreamKind.Events, new OutboxBody.FileChanged(file.View(_key.EndpointId, id, _key.ConversationId, 0, expiresMs)));
    }
}
