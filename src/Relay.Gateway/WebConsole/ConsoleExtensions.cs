using Microsoft.Extensions.DependencyInjection;
using Relay.Gateway.WebConsole.Pages;

namespace Relay.Gateway.WebConsole;

/// <summary>Registers the operators' console.</summary>
internal static class ConsoleExtensions
{
    public static void AddRelayConsole(this IServiceCollection services)
    {
        services.AddSingleton<ApiCalls>();
        services.AddSingleton<ConsoleSessions>();
        services.AddSingleton<SignIn>();
        services.AddSingleton<Layout>();
        services.AddSingleton<Overview>();
        services.AddSingleton<ConsoleRoutes>();
        services.AddSingleton<Figures>();
        services.AddHostedService(s => s.GetRequiredService<Figures>());
    }
}
