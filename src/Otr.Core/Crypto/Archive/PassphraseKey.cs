using System.Security.Cryptography;
using Org.BouncyCastle.Crypto.Generators;
using Org.BouncyCastle.Crypto.Parameters;

namespace Otr.Core.Crypto.Archive;

/// <summary>
/// Keys from passphrases by Argon2id version 1.3 with the second of the recommended parameter sets of RFC 9106, section 4: 64 MiB, three
/// passes, four lanes. Part of the format: changed only with its number.
/// </summary>
internal static class PassphraseKey
{
    public const int SaltSize = 16, Size = 32;
    private const int Passes = 3, Lanes = 4, MemoryKiB = 64 << 10;

    public static byte[] Derive(ReadOnlySpan<byte> passphrase, ReadOnlySpan<byte> salt)
    {
        var parameters = new Argon2Parameters.Builder(Argon2Parameters.Argon2id).WithVersion(Argon2Parameters.Version13)
            .WithIterations(Passes).WithMemoryAsKB(MemoryKiB).WithParallelism(Lanes).WithSalt(salt.ToArray()).Build();
        var argon2 = new Argon2BytesGenerator();
        argon2.Init(parameters);
        var secret = GC.AllocateArray<byte>(passphrase.Length, pinned: true);
        passphrase.CopyTo(secret);
        var key = GC.AllocateArray<byte>(Size, pinned: true);
        argon2.GenerateBytes(secret, key);
        CryptographicOperations.ZeroMemory(secret);
        return key;
    }
}
