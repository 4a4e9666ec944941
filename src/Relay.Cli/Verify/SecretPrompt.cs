using System.Text;

namespace Relay.Cli.Verify;

/// <summary>Reads a line from the terminal without showing it.</summary>
internal static class SecretPrompt
{
    /// <summary>Reads it unless cancelled, though the terminal's own reading goes on until the process ends.</summary>
    /// <returns>Null if the input ended.</returns>
    public static async Task<string?> ReadAsync(string prompt, CancellationToken cancellation)
    {
        try
        {
            return await Task.Run(() => Read(prompt), CancellationToken.None).WaitAsync(cancellation);
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine();
            throw;
        }
    }

    /// <returns>Null if the input ended.</returns>
    public static string? Read(string prompt)
    {
        Console.Error.Write(prompt);
        var line = new StringBuilder();
        while (true)
        {
            var key = Console.ReadKey(intercept: true);
            switch (key)
            {
                case { Key: ConsoleKey.Enter }:
                    Console.Error.WriteLine();
                    return line.ToString();
                case { Key: ConsoleKey.Backspace } when line.Length > 0:
                    // A character beyond the basic plane is two.
                    line.Length -= line.Length > 1 && char.IsLowSurrogate(line[^1]) ? 2 : 1;
                    break;
                case { Key: ConsoleKey.D, Modifiers: ConsoleModifiers.Control } when line.Length == 0:
                    Console.Error.WriteLine();
                    return null;
                case { KeyChar: var c } when !char.IsControl(c):
                    line.Append(c);
                    break;
            }
        }
    }
}
