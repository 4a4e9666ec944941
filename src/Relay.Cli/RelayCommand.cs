using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Runtime.InteropServices;
using Relay.Actors;
using Relay.Cli.Bench;
using Relay.Cli.Chat;
using Relay.Cli.ClusterDemo;
using Relay.Cli.Conversations;
using Relay.Cli.Demo;
using Relay.Cli.Doctor;
using Relay.Cli.Endpoints;
using Relay.Cli.Keys;
using Relay.Cli.LocalCluster.Load;
using Relay.Cli.Nodes;
using Relay.Cli.OtrPeer;
using Relay.Cli.Serve;
using Relay.Client;
using Relay.Storage;

namespace Relay.Cli;

/// <summary>The <c>relay</c> command: its subcommands, its help, and how their failures become exit codes.</summary>
public static class RelayCommand
{
    public static RootCommand Create()
    {
        var root = new RootCommand("Relay: the server that holds Off-the-Record conversations for others.")
        {
            DemoCommand.Create(),
            ClusterDemoCommand.Create(),
            ServeCommand.Create(),
            ChatCommand.Create(),
            EndpointsCommand.Create(),
            ConversationsCommand.Create(),
            KeysCommand.Create(),
            NodesCommand.Create(),
            DoctorCommand.Create(),
            HealthCommand.Create(),
            OtrPeerCommand.Create(),
            BenchCommand.Create(),
            LoadCommand.Create(),
        };
        CommonOptions.AddJson(root);
        foreach (var help in root.Options.OfType<HelpOption>())
        {
            if (help.Action is HelpAction action) help.Action = new TeachingHelp(action);
        }
        return root;
    }

    public static async Task<int> RunAsync(string[] args)
    {
        using var stop = new CancellationTokenSource();
        // The first signal asks the command to finish; a second one ends the process as it would have.
        void OnSignal(PosixSignalContext signal)
        {
            if (stop.IsCancellationRequested) return;
            signal.Cancel = true;
            stop.Cancel();
        }
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);

        var parsed = Create().Parse(args);
        if (parsed.Action is ParseErrorAction) return WrongUsage.Tell(parsed);
        bool json = CommonOptions.IsJson(parsed);
        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }, stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return ExitCode.Interrupted;
        }
        catch (CommandFailure e)
        {
            return Report.Failure(json, e);
        }
        catch (RelayException e)
        {
            return Report.Failure(json, CommandFailure.From(e));
        }
        catch (RelayStartException e)
        {
            return Report.Failure(json, new CommandFailure(ExitCode.Failed, e.Message, inner: e));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Report.Failure(json, new CommandFailure(ExitCode.Failed, e.Message, inner: e));
        }
    }

    /// <summary>Help with examples and, at the root, the exit codes.</summary>
    private sealed class TeachingHelp(HelpAction inner) : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            int code = inner.Invoke(parseResult);
            var output = parseResult.InvocationConfiguration.Output;
            var command = parseResult.CommandResult.Command;
            var lines = Examples.Of(command);
            if (lines.Count > 0)
            {
                output.WriteLine("Examples:");
                foreach (var line in lines) output.WriteLine("  " + line);
                output.WriteLine();
            }
            if (command is RootCommand) output.WriteLine($"Exit codes:\n  {ExitCode.Help}\n");
            return code;
        }
    }
}
