using System.Runtime.InteropServices;

namespace Relay.Lab.Bench;

/// <summary>Calls the exponentiation and DSA of OpenSSL's libcrypto, if the library is installed.</summary>
internal sealed class OpenSsl : IDisposable
{
    private const string Library = "libcrypto.so.3";

    private readonly IntPtr _context, _modulus, _montgomery, _result, _dsa;
    private IntPtr _signature; // made by SignToVerify

    private OpenSsl(byte[] modulus, DsaNumbers dsa)
    {
        _context = Made(BN_CTX_new());
        _modulus = Number(modulus);
        _montgomery = Made(BN_MONT_CTX_new());
        if (BN_MONT_CTX_set(_montgomery, _modulus, _context) != 1) throw new InvalidOperationException("OpenSSL refused the modulus.");
        _result = Made(BN_new());
        _dsa = Made(DSA_new());
        if (DSA_set0_pqg(_dsa, Number(dsa.P), Number(dsa.Q), Number(dsa.G)) != 1 || DSA_set0_key(_dsa, Number(dsa.Y), Number(dsa.X)) != 1)
            throw new InvalidOperationException("OpenSSL refused the DSA key.");
    }

    /// <summary>The numbers of a DSA key, big-endian.</summary>
    public sealed record DsaNumbers(byte[] P, byte[] Q, byte[] G, byte[] Y, byte[] X)
    {
        public override string ToString() => nameof(DsaNumbers);
    }

    /// <summary>Creates a big number for <see cref="Exp"/>; it is not freed before the process ends.</summary>
    public IntPtr Number(byte[] bigEndian) => Made(BN_bin2bn(bigEndian, bigEndian.Length, IntPtr.Zero));

    public static OpenSsl? TryOpen(byte[] modulus, DsaNumbers dsa)
    {
        if (!NativeLibrary.TryLoad(Library, out var handle)) return null;
        NativeLibrary.Free(handle); // the imports below load it again
        return new OpenSsl(modulus, dsa);
    }

    /// <summary>@base^exponent mod p, in constant time.</summary>
    public void Exp(IntPtr @base, IntPtr exponent)
    {
        if (BN_mod_exp_mont_consttime(_result, @base, exponent, _modulus, _context, _montgomery) != 1)
            throw new InvalidOperationException("OpenSSL's exponentiation failed.");
    }

    /// <summary>Signs, and discards the signature.</summary>
    /// <param name="digest">20 bytes.</param>
    public void Sign(byte[] digest) => DSA_SIG_free(Made(DSA_do_sign(digest, digest.Length, _dsa)));

    /// <summary>Makes the signature for <see cref="Verify"/>.</summary>
    public void SignToVerify(byte[] digest)
    {
        if (_signature != IntPtr.Zero) DSA_SIG_free(_signature);
        _signature = Made(DSA_do_sign(digest, digest.Length, _dsa));
    }

    public void Verify(byte[] digest)
    {
        if (DSA_do_verify(digest, digest.Length, _signature, _dsa) != 1)
            throw new InvalidOperationException("OpenSSL's verification failed.");
    }

    public void Dispose()
    {
        if (_signature != IntPtr.Zero) DSA_SIG_free(_signature);
        DSA_free(_dsa);
        BN_free(_result);
        BN_MONT_CTX_free(_montgomery);
        BN_free(_modulus);
        BN_CTX_free(_context);
    }

    private static IntPtr Made(IntPtr pointer)
        => pointer != IntPtr.Zero ? pointer : throw new InvalidOperationException("OpenSSL is out of memory.");

    [DllImport(Library)] private static extern IntPtr BN_CTX_new();
    [DllImport(Library)] private static extern void BN_CTX_free(IntPtr context);
    [DllImport(Library)] private static extern IntPtr BN_new();
    [DllImport(Library)] private static extern void BN_free(IntPtr number);
    [DllImport(Library)] private static extern IntPtr BN_bin2bn(byte[] bytes, int length, IntPtr number);
    [DllImport(Library)] private static extern IntPtr BN_MONT_CTX_new();
    [DllImport(Library)] private static extern void BN_MONT_CTX_free(IntPtr montgomery);
    [DllImport(Library)] private static extern int BN_MONT_CTX_set(IntPtr montgomery, IntPtr modulus, IntPtr context);
    [DllImport(Library)] private static extern int BN_mod_exp_mont_consttime(IntPtr result, IntPtr @base, IntPtr exponent, IntPtr modulus,
        IntPtr context, IntPtr montgomery);
    [DllImport(Library)] private static extern IntPtr DSA_new();
    [DllImport(Library)] private static extern void DSA_free(IntPtr dsa);
    [DllImport(Library)] private static extern int DSA_set0_pqg(IntPtr dsa, IntPtr p, IntPtr q, IntPtr g);
    [DllImport(Library)] private static extern int DSA_set0_key(IntPtr dsa, IntPtr publicKey, IntPtr privateKey);
    [DllImport(Library)] private static extern IntPtr DSA_do_sign(byte[] digest, int length, IntPtr dsa);
    [DllImport(Library)] private static extern int DSA_do_verify(byte[] digest, int length, IntPtr signature, IntPtr dsa);
    [DllImport(Library)] private static extern void DSA_SIG_free(IntPtr signature);
}
