using System.ComponentModel;
using System.Runtime.InteropServices;
using Otr.Core.Crypto.Montgomery;
using Otr.Core.Tests.Crypto;

namespace Otr.Core.Tests.Secrets;

/// <summary>
/// The choice of a table's entry by a secret index reads the whole table, so that caches say nothing about the index. The table lies in
/// memory that was never touched: a page is present only after it was read. For every border between two entries that border is laid on
/// the border of two pages, and for the indices beside it, the first and the last, both pages must be present afterwards.
/// </summary>
public sealed unsafe partial class TableReadTests
{
    private const int Entries = 32, WindowEntries = 16;
    private static readonly nuint s_page = (nuint)Environment.SystemPageSize;

    /// <summary>Kernels by limbs of the moduli in use: DSA's 1024 bits, and D-H's 1536 and 3072.</summary>
    public static IEnumerable<TheoryDataRow<string, int>> KernelsAndLimbs =>
        from kernel in KernelTheoryData.Names
        from bits in (int[])[1024, 1536, 3072]
        select new TheoryDataRow<string, int>(kernel, MontgomeryLimbs(bits));

    [Theory]
    [MemberData(nameof(KernelsAndLimbs))]
    public void Every_entry_is_read_whichever_is_wanted(string kernel, int limbs)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Whether a page was read is asked of Linux.");
        var kind = KernelTheoryData.Require(kernel);
        foreach (var entries in (int[])[WindowEntries, Entries])
        {
            for (var border = 1; border < entries; border++)
            {
                foreach (var index in (int[])[0, border - 1, border, entries - 1])
                {
                    Assert.Equal((true, true), ReadSides(kind, limbs, entries, border, (uint)index));
                }
            }
        }
    }

    [Fact]
    public void A_page_that_nobody_reads_is_not_present()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Whether a page was read is asked of Linux.");
        Assert.Equal((false, false), Sides(_ => { }));
        Assert.Equal((true, false), Sides(border => GC.KeepAlive(Volatile.Read(ref border[-1]))));
        Assert.Equal((false, true), Sides(border => GC.KeepAlive(Volatile.Read(ref border[0]))));
    }

    private static int MontgomeryLimbs(int bits) => bits switch { 1024 => 20, 1536 => 28, _ => 56 };

    private static (bool Before, bool After) ReadSides(KernelKind kind, int limbs, int entries, int border, uint index)
    {
        var result = (ulong*)NativeMemory.AlignedAlloc(2 * 64 * sizeof(ulong), 64);
        try
        {
            return Sides(middle =>
            {
                var table = middle - border * limbs;
                switch (kind)
                {
                    case KernelKind.Portable: PortableKernel.Select(result, table, entries, index, limbs); break;
                    case KernelKind.Avx2: Avx2Kernel.Select(result, table, entries, index, limbs); break;
                    case KernelKind.Avx512: Avx512Kernel.Select(result, table, entries, index, limbs); break;
                    default: throw new InvalidEnumArgumentException(nameof(kind), (int)kind, typeof(KernelKind));
                }
            });
        }
        finally
        {
            NativeMemory.AlignedFree(result);
        }
    }

    private delegate void Reading(ulong* border);

    /// <summary>Which side of a border between two runs of fresh pages was read.</summary>
    private static (bool Before, bool After) Sides(Reading read)
    {
        const int Half = 4;
        var length = 2 * Half * s_page;
        var start = Map(0, length, Read, PrivateAnonymous, -1, 0);
        Assert.NotEqual(-1, start);
        try
        {
            read((ulong*)(start + (nint)(Half * s_page)));
            Span<byte> present = stackalloc byte[2 * Half];
            fixed (byte* to = present) Assert.Equal(0, Present(start, length, to));
            return ((present[Half - 1] & 1) != 0, (present[Half] & 1) != 0);
        }
        finally
        {
            Assert.Equal(0, Unmap(start, length));
        }
    }

    private const int Read = 1, PrivateAnonymous = 0x22;

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int Unmap(nint address, nuint length);

    [LibraryImport("libc", EntryPoint = "mincore", SetLastError = true)]
    private static partial int Present(nint address, nuint length, byte* present);
}
