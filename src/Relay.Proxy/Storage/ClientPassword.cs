using System.Security.Cryptography;
using System.Text;

namespace Relay.Proxy.Storage;

/// <summary>The password by which the person's own program is told from those of the machine's other users, who reach loopback, too.</summary>
public static class ClientPassword
{
    private const string FileName = "client-password";
    private const int Bytes = 16;

    /// <summary>The file in an account's directory.</summary>
    public static string PathIn(string directory) => Path.Combine(directory, FileName);

    /// <summary>Reads the account's password, or makes it.</summary>
    /// <exception cref="IOException">The file cannot be read or written.</exception>
    public static (string Password, string File) LoadOrCreate(string directory)
    {
        SafeFile.CreateFolder(directory);
        var path = PathIn(directory);
        if (!File.Exists(path)) SafeFile.Write(path, Encoding.ASCII.GetBytes(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(Bytes)) + "\n"));
        var password = Encoding.UTF8.GetString(SafeFile.Read(path)!).Trim();
        return password.Length > 0 ? (password, path) : throw new IOException($"{path} is empty: remove it, and another password is made.");
    }
}
