using static Relay.Storage.Tests.Harness.StoreUnits;

namespace Relay.Storage.Tests;

/// <summary>What every store must do for files.</summary>
public abstract partial class StoreContractTests
{
    private static FileRow File(string id, ulong revision = 1, byte mark = 1, string conversation = "c", long reserved = 0, long expires = 50)
        => new("e", id, conversation, revision, expires, reserved, [mark, (byte)revision]);

    [Fact]
    public async Task Files_are_saved_on_the_expected_revision()
    {
        await using var store = await WithEndpointAsync();
        Assert.Null(await store.LoadFileAsync("e", "a", default));
        Assert.Equal(SaveFileResult.Conflict, await store.SaveFileAsync(File("a", 2), default));
        Assert.Equal(SaveFileResult.Saved, await store.SaveFileAsync(File("a", reserved: 7), default));
        Assert.Equal(SaveFileResult.Conflict, await store.SaveFileAsync(File("a", mark: 9), default));
        Assert.Equal(SaveFileResult.NoEndpoint, await store.SaveFileAsync(File("a") with { EndpointId = "none" }, default));
        Assert.Equal(SaveFileResult.Saved, await store.SaveFileAsync(File("a", 2, 5, reserved: 8, expires: 60), default));
        Assert.Equal(SaveFileResult.Conflict, await store.SaveFileAsync(File("a", 2, 6), default));
        var (row, portions) = (await store.LoadFileAsync("e", "a", default))!;
        Assert.Equal(("e", "a", "c", 2UL, 60L, 8L, 0u), (row.EndpointId, row.Id, row.ConversationId, row.Revision, row.ExpiresMs, row.Reserved, portions));
        Assert.Equal([5, 2], row.Sealed);
        // Many at once: one wins each revision.
        var won = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => store.SaveFileAsync(File("a", 3, (byte)i), default).AsTask()));
        Assert.Single(won, w => w == SaveFileResult.Saved);
        await store.SaveFileAsync(File("b"), default);
        Assert.Equal(["a", "b"], (await store.ListFilesAsync("e", null, 9, default)).Select(f => f.Row.Id));
        Assert.Equal(["b"], (await store.ListFilesAsync("e", "a", 9, default)).Select(f => f.Row.Id));
        Assert.Equal(["a"], (await store.ListFilesAsync("e", null, 1, default)).Select(f => f.Row.Id));
        Assert.Empty(await store.ListFilesAsync("f", null, 9, default));
    }

    [Fact]
    public async Task Portions_are_appended_in_order_and_never_changed()
    {
        await using var store = await WithEndpointAsync();
        await store.SaveFileAsync(File("a"), default);
        await store.SaveFileAsync(File("b"), default);
        Assert.False(await store.AppendPortionAsync("e", "none", 0, [1], default));
        Assert.False(await store.AppendPortionAsync("e", "a", 1, [1], default));
        Assert.True(await store.AppendPortionAsync("e", "a", 0, [1], default));
        Assert.False(await store.AppendPortionAsync("e", "a", 0, [2], default));
        Assert.False(await store.AppendPortionAsync("e", "a", 2, [2], default));
        var won = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => store.AppendPortionAsync("e", "a", 1, [2, (byte)i], default).AsTask()));
        Assert.Single(won, w => w);
        Assert.True(await store.AppendPortionAsync("e", "a", 2, new byte[70_000], default));
        Assert.Equal(3u, (await store.LoadFileAsync("e", "a", default))!.Portions);
        Assert.Equal(0u, (await store.LoadFileAsync("e", "b", default))!.Portions);
        Assert.Equal([1, 2, 70_000], (await store.ReadPortionsAsync("e", "a", 0, 9, default)).Select(p => p.Length));
        Assert.Equal([2], (await store.ReadPortionsAsync("e", "a", 1, 1, default)).Select(p => p.Length));
        Assert.Empty(await store.ReadPortionsAsync("e", "a", 3, 9, default));
        Assert.Empty(await store.ReadPortionsAsync("e", "b", 0, 9, default));
    }

    [Fact]
    public async Task A_unit_takes_its_files_along_and_leaves_out_those_that_conflict()
    {
        await using var store = await WithEndpointAsync();
        await store.CommitAsync(Unit("c", 0) with { Files = [File("a"), File("b", reserved: 3)] }, default);
        Assert.Equal(2, (await store.ListFilesAsync("e", null, 9, default)).Count);
        Assert.IsType<CommitResult.Committed>(await store.CommitAsync(
            Unit("c", 1) with { Files = [File("a", mark: 9), File("b", 2, 7, expires: 70), File("none", 2), File("d")] }, default));
        Assert.IsType<CommitResult.Conflict>(await store.CommitAsync(Unit("c", 1) with { Files = [File("x"), File("a", 2)] }, default));
        var files = await store.ListFilesAsync("e", null, 9, default);
        Assert.Equal([("a", 1UL, (byte)1), ("b", 2UL, (byte)7), ("d", 1UL, (byte)1)], files.Select(f => (f.Row.Id, f.Row.Revision, f.Row.Sealed[0])));
        Assert.Equal((70L, 0L), (files[1].Row.ExpiresMs, files[1].Row.Reserved));
        // Of many in one transaction, each has its own.
        await Task.WhenAll(Enumerable.Range(0, 40).Select(i => store.CommitAsync(
            Unit($"d{i:d2}", 0) with { Files = [File($"f{i:d2}", mark: (byte)i, conversation: $"d{i:d2}")] }, default).AsTask()));
        Assert.Equal(43, (await store.ListFilesAsync("e", null, 99, default)).Count);
        Assert.Equal(38, (await store.LoadFileAsync("e", "f38", default))!.Row.Sealed[0]);
    }

    [Fact]
    public async Task A_conversation_has_bounds_of_files_and_bytes()
    {
        await using var store = await WithEndpointAsync();
        const long most = StorageLimits.FileBytesPerConversation;
        Assert.Equal(SaveFileResult.Saved, await store.SaveFileAsync(File("a", reserved: most), default));
        Assert.Equal(SaveFileResult.Full, await store.SaveFileAsync(File("b", reserved: 1), default));
        Assert.Equal(SaveFileResult.Saved, await store.SaveFileAsync(File("b"), default));
        Assert.Equal(SaveFileResult.Full, await store.SaveFileAsync(File("b", 2, reserved: 1), default));
        // Its own bytes do not count twice, and those of other conversations not at all.
        Assert.Equal(SaveFileResult.Saved, await store.SaveFileAsync(File("a", 2, reserved: most), default));
        for (int i = 1; i < StorageLimits.FileBytesPerEndpoint / most; i++)
            Assert.Equal(SaveFileResult.Saved, await store.SaveFileAsync(File($"o{i}", conversation: $"o{i}", reserved: most), default));
        Assert.Equal(SaveFileResult.Full, await store.SaveFileAsync(File("p", conversation: "p", reserved: 1), default));

        var unit = Unit("c", 0) with { Files = [.. Enumerable.Range(0, StorageLimits.FilesPerConversation - 2).Select(i => File($"n{i}"))] };
        Assert.IsType<CommitResult.Committed>(await store.CommitAsync(unit, default));
        Assert.Equal(SaveFileResult.Full, await store.SaveFileAsync(File("x"), default));
        Assert.IsType<CommitResult.Committed>(await store.CommitAsync(Unit("c", 1) with { Files = [File("x")] }, default));
        Assert.Null(await store.LoadFileAsync("e", "x", default));
        Assert.Equal(SaveFileResult.Saved, await store.SaveFileAsync(File("x", conversation: "p"), default));
    }

    [Fact]
    public async Task A_store_has_the_quota_that_it_was_opened_with()
    {
        await using var store = await WithEndpointAsync(new FileQuota { Files = 4, Bytes = 30, ConversationFiles = 3, ConversationBytes = 20 });
        Assert.Equal(SaveFileResult.Full, await store.SaveFileAsync(File("a", reserved: 21), default));
        Assert.Equal(SaveFileResult.Saved, await store.SaveFileAsync(File("a", reserved: 20), default));
        Assert.Equal(SaveFileResult.Full, await store.SaveFileAsync(File("p", conversation: "p", reserved: 11), default));
        Assert.IsType<CommitResult.Committed>(await store.CommitAsync(Unit("c", 0) with { Files = [File("b"), File("d")] }, default));
        Assert.IsType<CommitResult.Committed>(await store.CommitAsync(Unit("c", 1) with { Files = [File("x")] }, default));
        Assert.Null(await store.LoadFileAsync("e", "x", default));
        Assert.Equal(SaveFileResult.Full, await store.SaveFileAsync(File("x"), default));
        Assert.Equal(SaveFileResult.Saved, await store.SaveFileAsync(File("p", conversation: "p", reserved: 10), default));
        Assert.IsType<CommitResult.Committed>(await store.CommitAsync(Unit("q", 0) with { Files = [File("q", conversation: "q")] }, default));
        Assert.Null(await store.LoadFileAsync("e", "q", default));
    }

    [Fact]
    public async Task A_deleted_file_leaves_nothing_behind_and_those_whose_life_is_over_are_due()
    {
        await using var store = await WithEndpointAsync();
        foreach (var id in (string[])["a", "b"])
        {
            await store.SaveFileAsync(File(id, expires: id == "a" ? 50 : 40), default);
            for (uint i = 0; i < StorageLimits.DeletedPortionsPerTransaction + 3; i++) Assert.True(await store.AppendPortionAsync("e", id, i, [1], default));
        }
        Assert.Empty(await store.ReadFilesDueAsync(39, 9, default));
        Assert.Equal([("e", "b"), ("e", "a")], await store.ReadFilesDueAsync(50, 9, default));
        Assert.Equal([("e", "b")], await store.ReadFilesDueAsync(50, 1, default));
        await store.DeleteFileAsync("e", "b", default);
        await store.DeleteFileAsync("e", "b", default);
        Assert.Equal([("e", "a")], await store.ReadFilesDueAsync(50, 9, default));
        Assert.Null(await store.LoadFileAsync("e", "b", default));
        Assert.Empty(await store.ReadPortionsAsync("e", "b", 0, 99, default));
        Assert.NotEmpty(await store.ReadPortionsAsync("e", "a", 0, 99, default));
        // Its id can be used again.
        Assert.Equal(SaveFileResult.Saved, await store.SaveFileAsync(File("b"), default));
        Assert.Equal(0u, (await store.LoadFileAsync("e", "b", default))!.Portions);

        Assert.True(await store.PurgeEndpointAsync("e", 1, default));
        Assert.Empty(await store.ListFilesAsync("e", null, 9, default));
        Assert.Empty(await store.ReadPortionsAsync("e", "a", 0, 99, default));
        Assert.Equal(SaveFileResult.NoEndpoint, await store.SaveFileAsync(File("a"), default));
    }
}
