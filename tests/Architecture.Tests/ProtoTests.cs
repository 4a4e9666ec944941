using System.Diagnostics;
using System.Reflection;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Architecture.Tests;

/// <summary>
/// The API's definitions follow Buf's standard rules, with the exceptions that protos/buf.yaml gives reasons for, and break no client of
/// a released version. Checked on the descriptors that the build has put into the gateway.
/// </summary>
public sealed class ProtoTests
{
    private static readonly string s_buf = Path.Combine(Repository.Root, "tests/Architecture.Tests/buf/node_modules/.bin/buf");

    /// <summary>The descriptors of the latest release, once there is one.</summary>
    private static readonly string s_released = Path.Combine(Repository.Root, "protos/released.binpb");

    [Fact]
    public async Task The_definitions_follow_the_rules_of_Buf()
    {
        var (code, output) = await RunAsync("lint", Described());
        Assert.Equal("", output);
        Assert.Equal(0, code);
    }

    /// <summary>The check is worth something: it sees a name in the wrong style.</summary>
    [Fact]
    public async Task A_field_in_another_style_is_found()
    {
        var wrong = Described();
        Endpoint(wrong).Field.Single(f => f.Name == "display_name").Name = "displayName";
        var (code, output) = await RunAsync("lint", wrong);
        Assert.NotEqual(0, code);
        Assert.Contains("displayName", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_client_of_a_released_version_is_broken()
    {
        Assert.SkipUnless(File.Exists(s_released), "Nothing has been released (docs/decisions/0041).");
        var (code, output) = await RunAsync("breaking", Described(), "--against", s_released);
        Assert.Equal("", output);
        Assert.Equal(0, code);
    }

    /// <summary>What a release would hold the next version to: a field that changes its type is found, a new one is not minded.</summary>
    [Fact]
    public async Task A_change_that_breaks_clients_is_found()
    {
        var released = Described();
        var later = Described();
        Endpoint(later).Field.Add(new FieldDescriptorProto
        {
            Name = "added", JsonName = "added", Number = 999, Type = FieldDescriptorProto.Types.Type.Bool,
            Label = FieldDescriptorProto.Types.Label.Optional,
        });
        Assert.Equal((0, ""), await AgainstAsync(released, later));
        Endpoint(later).Field.Single(f => f.Name == "max_wire_bytes").Type = FieldDescriptorProto.Types.Type.String;
        var (code, output) = await AgainstAsync(released, later);
        Assert.NotEqual(0, code);
        Assert.Contains("max_wire_bytes", output, StringComparison.Ordinal);
    }

    private static DescriptorProto Endpoint(FileDescriptorSet set) =>
        set.File.Single(f => f.Name == "relay/v1/endpoint.proto").MessageType.Single(m => m.Name == "Endpoint");

    private static FileDescriptorSet Described()
    {
        var gateway = Assembly.LoadFrom(Path.Combine(AppContext.BaseDirectory, "Relay.Gateway.dll"));
        using var stream = gateway.GetManifestResourceStream("relay.v1.descriptors")!;
        return FileDescriptorSet.Parser.ParseFrom(stream);
    }

    private static async Task<(int Code, string Output)> AgainstAsync(FileDescriptorSet released, FileDescriptorSet later)
    {
        var file = Path.Combine(Path.GetTempPath(), $"relay-released-{Guid.NewGuid():N}.binpb");
        await File.WriteAllBytesAsync(file, released.ToByteArray());
        try
        {
            return await RunAsync("breaking", later, "--against", file);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static async Task<(int Code, string Output)> RunAsync(string check, FileDescriptorSet input, params string[] arguments)
    {
        Assert.SkipUnless(File.Exists(s_buf), "@bufbuild/buf is not installed (tests/setup/buf.sh)");
        var start = new ProcessStartInfo(s_buf,
            [check, "-#format=binpb", .. arguments, "--config", Path.Combine(Repository.Root, "protos/buf.yaml"), "--path", "relay/v1"])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.StandardInput.BaseStream.WriteAsync(input.ToByteArray());
        process.StandardInput.Close();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        return (process.ExitCode, await output + await error);
    }
}
