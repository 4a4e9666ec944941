using Relay.Cli;

return await RelayCommand.RunAsync(args);
