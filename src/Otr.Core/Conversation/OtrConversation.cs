namespace Otr.Core;

/// <summary>
/// One endpoint's side of a conversation with one peer: the sessions with the peer's instances, the key exchange in
/// progress, fragments, held messages. Not thread-safe: one owner at a time.
/// </summary>
public sealed class OtrConversation : IDisposable
{
    /// <summary>A new conversation, in PLAINTEXT.</summary>
    public OtrConversation(OtrAccount account, OtrSettings settings) => throw new NotImplementedException();

    /// <summary>The best session's state (encrypted before finished before plaintext, then the latest heard from).</summary>
    public MessageState State => throw new NotImplementedException();

    /// <summary>The sessions that are not in PLAINTEXT, best first.</summary>
    public IReadOnlyList<SessionInfo> Sessions => throw new NotImplementedException();

    /// <summary>Unix ms at which <see cref="OtrInput.TimePassed"/> has something to do; null if nothing is pending.</summary>
    public long? NextDeadline => throw new NotImplementedException();

    /// <summary>True if the last <see cref="Step"/> changed what a snapshot holds.</summary>
    public bool IsDirty => throw new NotImplementedException();

    /// <summary>
    /// Takes one input and appends what it asks for to <paramref name="effects"/>. Never throws for anything a peer can
    /// send. The effects must not be carried out before the state is durable, if it is to be: an encrypted message that
    /// is sent, forgotten and encrypted anew uses an AES-CTR counter twice.
    /// </summary>
    public void Step(OtrInput input, in OtrEnvironment environment, List<OtrEffect> effects) => throw new NotImplementedException();

    /// <summary>Writes the whole conversation, secrets included: seal it before it is stored.</summary>
    public void WriteSnapshot(System.Buffers.IBufferWriter<byte> destination) => throw new NotImplementedException();

    /// <summary>Reads a snapshot back. False if it is damaged, of an unknown version, or of another account.</summary>
    public static bool TryRestore(ReadOnlySpan<byte> snapshot, OtrAccount account, OtrSettings settings,
        [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out OtrConversation? conversation) => throw new NotImplementedException();

    /// <summary>Wipes every secret.</summary>
    public void Dispose() => throw new NotImplementedException();
}
