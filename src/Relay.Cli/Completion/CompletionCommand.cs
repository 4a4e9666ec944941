using System.CommandLine;

namespace Relay.Cli.Completion;

/// <summary>
/// The command <c>relay completion</c>: prints what a shell has to run so that it completes commands, switches and their values. The
/// scripts ask the program itself, by the directive <c>[suggest]</c>, so that they cannot fall behind.
/// </summary>
internal static class CompletionCommand
{
    private static readonly Dictionary<string, string> s_scripts = new()
    {
        ["bash"] = """
            # bash: eval "$(relay completion bash)"
            _relay_complete() {
                local line="${COMP_LINE:0:COMP_POINT}" word="${COMP_WORDS[COMP_CWORD]}" found
                line="${line#"${COMP_WORDS[0]}"}"
                found="$("$1" "[suggest:${#line}]" "$line" 2>/dev/null)"
                COMPREPLY=($(compgen -W "$found" -- "$word"))
            }
            complete -o default -F _relay_complete relay
            """,
        ["zsh"] = """
            # zsh: source <(relay completion zsh), after compinit
            _relay_complete() {
                local line="${(j: :)words[2,CURRENT]}"
                local -a found
                found=(${(f)"$("${words[1]}" "[suggest:${#line}]" "$line" 2>/dev/null)"})
                (( ${#found} )) && compadd -- $found || _files
            }
            compdef _relay_complete relay
            """,
        ["fish"] = """
            # fish: relay completion fish | source
            function __relay_complete
                set -l words (commandline -opc) (commandline -ct)
                set -l line (string join ' ' -- $words[2..-1])
                $words[1] "[suggest:"(string length -- $line)"]" $line 2>/dev/null
            end
            complete -c relay -a '(__relay_complete)'
            """,
    };

    public static Command Create()
    {
        var shell = new Argument<string>("shell") { Description = "bash, zsh or fish." };
        shell.AcceptOnlyFromAmong([.. s_scripts.Keys]);
        var command = new Command("completion", "Print a script by which a shell completes commands, switches and their values.") { shell };
        command.SetAction(parsed =>
        {
            Console.Out.WriteLine(s_scripts[parsed.GetRequiredValue(shell)]);
            return ExitCode.Ok;
        });
        return command;
    }
}
