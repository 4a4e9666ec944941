using Relay.Cli;
using Relay.Lab;

return await RelayCommand.RunAsync(args, LabCommands.Create());
