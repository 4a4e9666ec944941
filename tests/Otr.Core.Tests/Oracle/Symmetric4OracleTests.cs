using System.Diagnostics;
using Org.BouncyCastle.Crypto.Digests;
using Org.BouncyCastle.Crypto.Engines;
using Org.BouncyCastle.Crypto.Parameters;
using Otr.Core.Crypto;
using Otr.Core.Crypto.Ed448;
using Otr.Core.Tests.Crypto;
using Otr.Core.Tests.Kit;
using LibraryShake = System.Security.Cryptography.Shake256;
using Shake256 = Otr.Core.Crypto.Ed448.Shake256;

namespace Otr.Core.Tests.Oracle;

/// <summary>
/// SHAKE-256 and ChaCha20 against BouncyCastle and the base class library; these and Ed448 signatures against the command openssl.
/// </summary>
public class Symmetric4OracleTests
{
    private const string OpenSsl = "/usr/bin/openssl";

    [Fact]
    public void Shake256_is_the_libraries_however_input_and_output_are_cut() => LongRuns.Search(Oracle.Box, 200, seed =>
    {
        var random = new SeededRandom(seed);
        // Around multiples of the rate, where padding goes into the last byte or a block of its own.
        int inputLength = seed % 3 == 0 ? Shake256.Rate * (seed % 5) + seed % 4 + 1 - 2 : random.Bytes(1)[0] * (1 + seed % 4);
        byte[] input = random.Bytes(Math.Max(0, inputLength)), expected = new byte[1 + random.Bytes(1)[0] * 2];
        var actual = new byte[expected.Length];
        var digest = new ShakeDigest(256);
        digest.BlockUpdate(input, 0, input.Length);
        digest.OutputFinal(expected, 0, expected.Length);
        Shake256.Hash(input, actual);
        Assert.Equal(expected, actual);

        using var shake = new Shake256();
        for (int from = 0; from < input.Length;)
        {
            int length = Math.Min(random.Bytes(1)[0] % 40, input.Length - from);
            shake.Absorb(input.AsSpan(from, length));
            from += length;
        }
        actual.AsSpan().Clear();
        for (int from = 0; from < actual.Length;)
        {
            int length = Math.Min(random.Bytes(1)[0] % 40, actual.Length - from);
            shake.Squeeze(actual.AsSpan(from, length));
            from += length;
        }
        Assert.Equal(expected, actual);
        if (LibraryShake.IsSupported) Assert.Equal(expected, LibraryShake.HashData(input, expected.Length));
    });

    [Fact]
    public void ChaCha20_is_BouncyCastles_at_every_length() => LongRuns.Search(Oracle.Box, 200, seed =>
    {
        var random = new SeededRandom(seed);
        byte[] key = random.Bytes(32), data = random.Bytes(seed < 200 ? seed : BitConverter.ToUInt16(random.Bytes(2)));
        byte[] expected = new byte[data.Length], actual = new byte[data.Length + 1];
        actual[^1] = 0xA5;
        var engine = new ChaCha7539Engine();
        engine.Init(true, new ParametersWithIV(new KeyParameter(key), new byte[12]));
        engine.ProcessBytes(data, 0, data.Length, expected, 0);
        ChaCha20.Transform(key, data, actual);
        Assert.Equal(expected, actual[..^1]);
        Assert.Equal(0xA5, actual[^1]);
    });

    [Fact]
    public void OpenSSL_makes_the_same_key_stream_and_the_same_signature()
    {
        Assert.SkipUnless(File.Exists(OpenSsl), "The command 'openssl' is not installed.");
        var random = new SeededRandom(448);
        var directory = Directory.CreateTempSubdirectory("ed448");
        try
        {
            for (int i = 0; i < (LongRuns.IsLong ? 40 : 3); i++)
            {
                byte[] data = random.Bytes(1 + 997 * i), key = random.Bytes(32), seed = random.Bytes(57);
                string dataFile = Write("data", data), result = Path.Combine(directory.FullName, "result");
                // Its 16 bytes of "iv" are the block counter and the nonce.
                Run("enc", "-chacha20", "-K", Convert.ToHexString(key), "-iv", new string('0', 32), "-in", dataFile, "-out", result);
                var encrypted = new byte[data.Length];
                ChaCha20.Transform(key, data, encrypted);
                Assert.Equal(File.ReadAllBytes(result), encrypted);

                Run("dgst", "-shake256", "-xoflen", "200", "-binary", "-out", result, dataFile);
                var digest = new byte[200];
                Shake256.Hash(data, digest);
                Assert.Equal(File.ReadAllBytes(result), digest);

                // PKCS #8 of RFC 8410 §7: version 0, id-Ed448, the seed as an octet string within one.
                byte[] pkcs8 = [0x30, 0x47, 2, 1, 0, 0x30, 5, 6, 3, 0x2B, 0x65, 0x71, 4, 0x3B, 4, 0x39, .. seed];
                Run("pkeyutl", "-sign", "-keyform", "DER", "-inkey", Write("key", pkcs8), "-rawin", "-in", dataFile, "-out", result);
                using var own = new Ed448SigningKey(seed);
                var signature = new byte[Ed448Signature.Size];
                own.Sign(data, signature);
                Assert.Equal(File.ReadAllBytes(result), signature);
                Assert.True(Ed448Signature.Verify(own.Public, data, signature));
            }
        }
        finally
        {
            directory.Delete(recursive: true);
        }

        string Write(string name, byte[] content)
        {
            var path = Path.Combine(directory.FullName, name);
            File.WriteAllBytes(path, content);
            return path;
        }
    }

    private static void Run(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(OpenSsl, arguments) { RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, errors);
    }
}
