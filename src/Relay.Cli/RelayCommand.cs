using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Runtime.InteropServices;
using Relay.Actors;
using Relay.Cli.Audit;
using Relay.Cli.Backups;
using Relay.Cli.Bots;
using Relay.Cli.Bridges;
using Relay.Cli.Chat;
using Relay.Cli.Completion;
using Relay.Cli.Conversations;
using Relay.Cli.Doctor;
using Relay.Cli.Endpoints;
using Relay.Cli.Files;
using Relay.Cli.Identities;
using Relay.Cli.Keys;
using Relay.Cli.Nodes;
using Relay.Cli.Proxy;
using Relay.Cli.Serve;
using Relay.Cli.Status;
using Relay.Cli.Subscriptions;
using Relay.Cli.Talk;
using Relay.Cli.Verify;
using Relay.Client;
using Relay.Gateway.Hosting;
using Relay.Storage;

namespace Relay.Cli;

/// <summary>The <c>relay</c> command: its subcommands, its help, and how their failures become exit codes.</summary>
public static class RelayCommand
{
    /// <summary>Creates the product's command tree.</summary>
    public static RootCommand Create() => Create(AddedCommands.None);

    /// <summary>Creates the command tree with further commands at its root.</summary>
    public static RootCommand Create(AddedCommands added)
    {
        var root = new RootCommand("Relay: a server that holds Off-the-Record (OTR) conversations for bots and bridges.")
        {
            ServeCommand.Create(),
            ConfigCommand.Create(),
            BridgeCommand.Create(),
            BotCommand.Create(),
            ProxyCommand.Create(),
            StatusCommand.Create(),
            ChatCommand.Create(),
            SendCommand.Create(),
            TailCommand.Create(),
            MessagesCommand.Create(),
            FilesCommand.Create(),
            EndpointsCommand.Create(),
            ConversationsCommand.Create(),
            IdentitiesCommand.Create(),
            VerifyCommand.Create(),
            SubscriptionsCommand.Create(),
            DeadLettersCommand.Create(),
            KeysCommand.Create(),
            NodesCommand.Create(),
            AuditCommand.Create(),
            BackupCommand.Create(),
            RestoreCommand.Create(),
            UpgradeCommand.Create(),
            DoctorCommand.Create(),
            HealthCommand.Create(),
            CompletionCommand.Create(),
        };
        foreach (var command in added.Commands) root.Subcommands.Add(command);
        CommonOptions.AddJson(root);
        var examples = new Examples(added.Examples);
        foreach (var help in root.Options.OfType<HelpOption>())
        {
            if (help.Action is HelpAction action) help.Action = new HelpWithExamples(action, examples);
        }
        return root;
    }

    /// <summary>Runs the command that the arguments name and returns its exit code.</summary>
    public static Task<int> RunAsync(string[] args) => RunAsync(args, AddedCommands.None);

    /// <summary>Runs a command of the tree with further commands at its root.</summary>
    public static async Task<int> RunAsync(string[] args, AddedCommands added)
    {
        using var stop = new CancellationTokenSource();
        // The first signal asks the command to finish; a second one has its default effect and ends the process.
        void OnSignal(PosixSignalContext signal)
        {
            if (stop.IsCancellationRequested) return;
            signal.Cancel = true;
            stop.Cancel();
        }
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);

        var parsed = Create(added).Parse(args);
        if (parsed.Action is ParseErrorAction || WrongUsage.SwitchAsArgument(parsed) is not null) return WrongUsage.Tell(parsed);
        bool json = CommonOptions.IsJson(parsed);
        try
        {
            return await parsed.InvokeAsync(
                new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }, stop.Token);
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
            return Report.Failure(json, CommandFailure.From(e, FieldSwitches.Named(e.Message, parsed.CommandResult.Command)));
        }
        catch (RelayConfigurationException e)
        {
            return Report.Failure(json,
                new CommandFailure(ExitCode.Usage, e.Mistakes[0], "'relay config show' shows every setting and its source.", inner: e)
                {
                    More = [.. e.Mistakes.Skip(1)],
                });
        }
        catch (RelayStartException e)
        {
            return Report.Failure(json, CommandFailure.From(e));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Report.Failure(json, new CommandFailure(ExitCode.Failed, e.Message, inner: e));
        }
    }

    /// <summary>Appends examples to the help of a command and, at the root, the exit codes.</summary>
    internal sealed class HelpWithExamples(HelpAction inner, Examples examples) : SynchronousCommandLineAction
    {
        /// <summary>Longest line, in characters. Default: the terminal's width, or no limit in a file.</summary>
        public int MaxWidth
        {
            get => inner.MaxWidth;
            set => inner.MaxWidth = value;
        }

        public override int Invoke(ParseResult parseResult)
        {
            var output = parseResult.InvocationConfiguration.Output;
            var command = parseResult.CommandResult.Command;
            using var help = new StringWriter();
            parseResult.InvocationConfiguration.Output = help;
            int code = inner.Invoke(parseResult);
            parseResult.InvocationConfiguration.Output = output;
            // The usage line names the program's file, but users type "relay", also in a checkout.
            var text = help.ToString().Replace("\r\n", "\n", StringComparison.Ordinal)
                .Replace($"\n  {RootCommand.ExecutableName} ", "\n  relay ", StringComparison.Ordinal);
            output.Write(command is RootCommand ? CommandGroups.Group(text) : text);
            var lines = examples.Of(command);
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
