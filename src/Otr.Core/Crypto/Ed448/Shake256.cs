using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using static System.Numerics.BitOperations;

namespace Otr.Core.Crypto.Ed448;

/// <summary>
/// SHAKE-256 (FIPS 202). In-house because nearly everything that version 4 hashes is secret: the state is a value on the stack that
/// <see cref="Dispose"/> wipes, where a library's object would leave it on the heap. The default value has absorbed nothing.
/// </summary>
internal ref struct Shake256
{
    /// <summary>Bytes that one permutation absorbs or gives.</summary>
    public const int Rate = 136;

    private Lanes _lanes;
    private int _position;
    private bool _squeezing;

    [InlineArray(25)]
    private struct Lanes
    {
        private ulong _lane0;
    }

    /// <summary>The first bytes of SHAKE-256(data).</summary>
    public static void Hash(ReadOnlySpan<byte> data, Span<byte> result)
    {
        using var shake = new Shake256();
        shake.Absorb(data);
        shake.Squeeze(result);
    }

    /// <summary>Hashes more input.</summary>
    public void Absorb(scoped ReadOnlySpan<byte> data)
    {
        if (_squeezing) throw new InvalidOperationException("SHAKE-256 takes no input after output.");
        while (!data.IsEmpty)
        {
            int lane = _position >> 3, shift = 8 * (_position & 7);
            if (shift == 0 && data.Length >= 8)
            {
                _lanes[lane] ^= BinaryPrimitives.ReadUInt64LittleEndian(data);
                data = data[8..];
                _position += 8;
            }
            else
            {
                _lanes[lane] ^= (ulong)data[0] << shift;
                data = data[1..];
                _position++;
            }
            if (_position == Rate) Permute();
        }
    }

    /// <summary>Hashes one byte more.</summary>
    public void Absorb(byte value) => Absorb([value]);

    /// <summary>Gives the next bytes of output; ends the input.</summary>
    public void Squeeze(scoped Span<byte> result)
    {
        if (!_squeezing)
        {
            // The four bits 1111 that tell SHAKE from SHA-3, and the padding 10…01.
            _lanes[_position >> 3] ^= 0x1FUL << (8 * (_position & 7));
            _lanes[(Rate - 1) >> 3] ^= 0x80UL << 56;
            Permute();
            _squeezing = true;
        }
        while (!result.IsEmpty)
        {
            if (_position == Rate) Permute();
            int lane = _position >> 3, shift = 8 * (_position & 7);
            if (shift == 0 && result.Length >= 8)
            {
                BinaryPrimitives.WriteUInt64LittleEndian(result, _lanes[lane]);
                result = result[8..];
                _position += 8;
            }
            else
            {
                result[0] = (byte)(_lanes[lane] >> shift);
                result = result[1..];
                _position++;
            }
        }
    }

    /// <summary>Wipes.</summary>
    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes((Span<ulong>)_lanes));
        _position = 0;
        _squeezing = false;
    }

    private void Permute()
    {
        Keccak(ref _lanes);
        _position = 0;
    }

    /// <summary>ι, FIPS 202 §3.2.5.</summary>
    private static ReadOnlySpan<ulong> RoundConstants =>
    [
        0x0000000000000001, 0x0000000000008082, 0x800000000000808A, 0x8000000080008000, 0x000000000000808B, 0x0000000080000001,
        0x8000000080008081, 0x8000000000008009, 0x000000000000008A, 0x0000000000000088, 0x0000000080008009, 0x000000008000000A,
        0x000000008000808B, 0x800000000000008B, 0x8000000000008089, 0x8000000000008003, 0x8000000000008002, 0x8000000000000080,
        0x000000000000800A, 0x800000008000000A, 0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
    ];

    /// <summary>Keccak-f[1600]: 24 rounds of θ, ρ and π, χ, ι. Lane (x, y) is word x + 5y.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Keccak(ref Lanes s)
    {
        ulong a00 = s[0], a10 = s[1], a20 = s[2], a30 = s[3], a40 = s[4], a01 = s[5], a11 = s[6], a21 = s[7], a31 = s[8], a41 = s[9];
        ulong a02 = s[10], a12 = s[11], a22 = s[12], a32 = s[13], a42 = s[14], a03 = s[15], a13 = s[16], a23 = s[17], a33 = s[18];
        ulong a43 = s[19], a04 = s[20], a14 = s[21], a24 = s[22], a34 = s[23], a44 = s[24];
        foreach (ulong constant in RoundConstants)
        {
            ulong c0 = a00 ^ a01 ^ a02 ^ a03 ^ a04, c1 = a10 ^ a11 ^ a12 ^ a13 ^ a14, c2 = a20 ^ a21 ^ a22 ^ a23 ^ a24;
            ulong c3 = a30 ^ a31 ^ a32 ^ a33 ^ a34, c4 = a40 ^ a41 ^ a42 ^ a43 ^ a44;
            ulong d0 = c4 ^ RotateLeft(c1, 1), d1 = c0 ^ RotateLeft(c2, 1), d2 = c1 ^ RotateLeft(c3, 1);
            ulong d3 = c2 ^ RotateLeft(c4, 1), d4 = c3 ^ RotateLeft(c0, 1);

            // B[y, 2x + 3y] = rot(A[x, y], r[x, y])
            ulong b00 = a00 ^ d0, b10 = RotateLeft(a11 ^ d1, 44), b20 = RotateLeft(a22 ^ d2, 43);
            ulong b30 = RotateLeft(a33 ^ d3, 21), b40 = RotateLeft(a44 ^ d4, 14);
            ulong b01 = RotateLeft(a30 ^ d3, 28), b11 = RotateLeft(a41 ^ d4, 20), b21 = RotateLeft(a02 ^ d0, 3);
            ulong b31 = RotateLeft(a13 ^ d1, 45), b41 = RotateLeft(a24 ^ d2, 61);
            ulong b02 = RotateLeft(a10 ^ d1, 1), b12 = RotateLeft(a21 ^ d2, 6), b22 = RotateLeft(a32 ^ d3, 25);
            ulong b32 = RotateLeft(a43 ^ d4, 8), b42 = RotateLeft(a04 ^ d0, 18);
            ulong b03 = RotateLeft(a40 ^ d4, 27), b13 = RotateLeft(a01 ^ d0, 36), b23 = RotateLeft(a12 ^ d1, 10);
            ulong b33 = RotateLeft(a23 ^ d2, 15), b43 = RotateLeft(a34 ^ d3, 56);
            ulong b04 = RotateLeft(a20 ^ d2, 62), b14 = RotateLeft(a31 ^ d3, 55), b24 = RotateLeft(a42 ^ d4, 39);
            ulong b34 = RotateLeft(a03 ^ d0, 41), b44 = RotateLeft(a14 ^ d1, 2);

            a00 = b00 ^ (~b10 & b20) ^ constant; a10 = b10 ^ (~b20 & b30); a20 = b20 ^ (~b30 & b40); a30 = b30 ^ (~b40 & b00);
            a40 = b40 ^ (~b00 & b10);
            a01 = b01 ^ (~b11 & b21); a11 = b11 ^ (~b21 & b31); a21 = b21 ^ (~b31 & b41); a31 = b31 ^ (~b41 & b01);
            a41 = b41 ^ (~b01 & b11);
            a02 = b02 ^ (~b12 & b22); a12 = b12 ^ (~b22 & b32); a22 = b22 ^ (~b32 & b42); a32 = b32 ^ (~b42 & b02);
            a42 = b42 ^ (~b02 & b12);
            a03 = b03 ^ (~b13 & b23); a13 = b13 ^ (~b23 & b33); a23 = b23 ^ (~b33 & b43); a33 = b33 ^ (~b43 & b03);
            a43 = b43 ^ (~b03 & b13);
            a04 = b04 ^ (~b14 & b24); a14 = b14 ^ (~b24 & b34); a24 = b24 ^ (~b34 & b44); a34 = b34 ^ (~b44 & b04);
            a44 = b44 ^ (~b04 & b14);
        }
        (s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8], s[9]) = (a00, a10, a20, a30, a40, a01, a11, a21, a31, a41);
        (s[10], s[11], s[12], s[13], s[14], s[15], s[16], s[17], s[18], s[19]) = (a02, a12, a22, a32, a42, a03, a13, a23, a33, a43);
        (s[20], s[21], s[22], s[23], s[24]) = (a04, a14, a24, a34, a44);
    }
}
