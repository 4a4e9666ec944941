namespace Otr.Core;

/// <summary>One account's private key in libotr's <c>otr.private_key</c>.</summary>
/// <param name="AccountName">As the client wrote it: libotr compares exactly, and Pidgin keeps a trailing <c>/resource</c>.</param>
/// <param name="Protocol">The client's name for the network, such as <c>prpl-jabber</c>.</param>
/// <param name="Key">Owned by this record.</param>
public sealed record LibotrAccountKey(string AccountName, string Protocol, DsaPrivateKey Key) : IDisposable
{
    /// <summary>Wipes the private number.</summary>
    public void Dispose() => Key.Dispose();

    /// <summary>Prints the type only.</summary>
    public override string ToString() => nameof(LibotrAccountKey);
}
