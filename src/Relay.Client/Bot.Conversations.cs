using System.Runtime.CompilerServices;
using Google.Protobuf.WellKnownTypes;
using Relay.V1;

namespace Relay.Client;

// What a bot does with its conversations besides talking: it finds, labels and deletes them, and decides about keys.
public sealed partial class Bot
{
    /// <summary>Lists an endpoint's conversations, page after page.</summary>
    /// <param name="filter">As <see cref="ListConversationsRequest.Filter"/> says: <c>state = ENCRYPTED AND labels.team = "sales"</c>.</param>
    /// <param name="orderBy">As <see cref="ListConversationsRequest.OrderBy"/> says; empty: in order of name.</param>
    /// <exception cref="RelayException">The server refuses, for example because of the filter.</exception>
    public async IAsyncEnumerable<Conversation> ConversationsAsync(
        string endpoint, string filter = "", string orderBy = "", [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var request = new ListConversationsRequest { Parent = RelayClient.EndpointName(endpoint), Filter = filter, OrderBy = orderBy };
        do
        {
            var page = await _client.CallAsync(o => _client.Conversations.ListConversationsAsync(request, o), cancellation);
            foreach (var conversation in page.Conversations) yield return conversation;
            request = request.Clone();
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
    }

    /// <summary>Gets the conversation with a peer; null if there is none.</summary>
    /// <exception cref="RelayException">The cause is the key, the request or the server.</exception>
    public async Task<Conversation?> FindConversationAsync(string endpoint, string peer, CancellationToken cancellation = default)
    {
        var request = new ResolveConversationRequest { Parent = RelayClient.EndpointName(endpoint), Peer = peer };
        try
        {
            return await _client.CallAsync(o => _client.Conversations.ResolveConversationAsync(request, o), cancellation);
        }
        catch (RelayException e) when (e.Reason == "CONVERSATION_NOT_FOUND")
        {
            return null;
        }
    }

    /// <summary>Sets a label of a conversation, or removes it.</summary>
    /// <param name="value">Null: the label is removed.</param>
    /// <returns>The conversation; a refusal is a value, see <see cref="Outcome{T}"/>.</returns>
    /// <exception cref="RelayException">The cause is the key, the request or the server, not the conversation.</exception>
    public Task<Outcome<Conversation>> LabelAsync(
        string conversation, string label, string? value, string? requestId = null, CancellationToken cancellation = default)
    {
        var request = new UpdateConversationRequest
        {
            RequestId = requestId ?? NewId(), Conversation = new Conversation { Name = conversation },
            UpdateMask = new FieldMask { Paths = { "labels." + label } },
        };
        if (value is not null) request.Conversation.Labels.Add(label, value);
        return OutcomeAsync(o => _client.Conversations.UpdateConversationAsync(request, o), cancellation);
    }

    /// <summary>
    /// Deletes a conversation: its private session is ended, what waits is dropped, and what is left are the peer's keys. The peer's next
    /// message begins it anew.
    /// </summary>
    /// <exception cref="RelayException">The cause is the key, the request or the server, or there is no such conversation.</exception>
    public Task DeleteConversationAsync(string conversation, string? requestId = null, CancellationToken cancellation = default)
    {
        var request = new DeleteConversationRequest { RequestId = requestId ?? NewId(), Name = conversation };
        return _client.CallAsync(o => _client.Conversations.DeleteConversationAsync(request, o), cancellation);
    }

    /// <summary>Takes a key for the peer's: what was held goes to it. It is not verified by that.</summary>
    /// <param name="fingerprint">From <see cref="Session.PeerFingerprint"/>.</param>
    /// <returns>The key; a refusal is a value, see <see cref="Outcome{T}"/>.</returns>
    /// <exception cref="RelayException">The cause is the key, the request or the server, not the conversation.</exception>
    public Task<Outcome<Identity>> AcceptKeyAsync(
        string conversation, string fingerprint, string? requestId = null, CancellationToken cancellation = default)
    {
        var request = new AcceptIdentityRequest { RequestId = requestId ?? NewId(), Name = IdentityName(conversation, fingerprint) };
        return OutcomeAsync(o => _client.Identities.AcceptIdentityAsync(request, o), cancellation);
    }

    /// <summary>
    /// Refuses a key: sessions with it end, what was held for it is dropped, and it gets no session until it is accepted or verified.
    /// </summary>
    /// <param name="fingerprint">From <see cref="Session.PeerFingerprint"/>.</param>
    /// <returns>The key; a refusal is a value, see <see cref="Outcome{T}"/>.</returns>
    /// <exception cref="RelayException">The cause is the key, the request or the server, not the conversation.</exception>
    public Task<Outcome<Identity>> RefuseKeyAsync(
        string conversation, string fingerprint, string? requestId = null, CancellationToken cancellation = default)
    {
        var request = new RefuseIdentityRequest { RequestId = requestId ?? NewId(), Name = IdentityName(conversation, fingerprint) };
        return OutcomeAsync(o => _client.Identities.RefuseIdentityAsync(request, o), cancellation);
    }

    /// <summary>
    /// Stores a secret by which the server answers verifications that a peer begins, without asking the bot: five a day for each peer.
    /// </summary>
    /// <param name="secret">1 to 256 bytes of UTF-8; null: removes the one that is stored.</param>
    /// <param name="peer">Null: for all peers of the endpoint without a secret of their own. Take a long one then.</param>
    /// <exception cref="RelayException">The cause is the key, the request or the server.</exception>
    public async Task SetAnswerSecretAsync(
        string endpoint, string? secret, string? peer = null, string? requestId = null, CancellationToken cancellation = default)
    {
        var (id, parent) = (requestId ?? NewId(), RelayClient.EndpointName(endpoint));
        if (secret is null)
        {
            var clear = new ClearAnswerSecretRequest { RequestId = id, Parent = parent, Peer = peer ?? "" };
            await _client.CallAsync(o => _client.Verifications.ClearAnswerSecretAsync(clear, o), cancellation);
        }
        else
        {
            var set = new SetAnswerSecretRequest { RequestId = id, Parent = parent, Peer = peer ?? "", Secret = secret };
            await _client.CallAsync(o => _client.Verifications.SetAnswerSecretAsync(set, o), cancellation);
        }
    }

    private static string IdentityName(string conversation, string fingerprint) => $"{conversation}/identities/{fingerprint}";
}
