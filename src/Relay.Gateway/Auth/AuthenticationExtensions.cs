using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;
using Relay.Gateway.Hosting;

namespace Relay.Gateway.Auth;

/// <summary>Registers the authentication of callers.</summary>
internal static class AuthenticationExtensions
{
    /// <summary>
    /// Registers authentication without AddAuthentication, which also adds Data Protection: that writes keys of its own to the
    /// user's home directory, and only schemes with cookies need it.
    /// </summary>
    public static void AddRelayAuthentication(this IServiceCollection services, bool hasTokens)
    {
        services.AddAuthenticationCore(authentication => authentication.DefaultScheme = RelayAuthenticationHandler.Scheme);
        services.AddWebEncoders();
        services.AddSingleton<AccessTokens>();
        services.AddSingleton<ClientCertificates>();
        services.AddSingleton<KeyUse>();
        services.AddHostedService<KeyUseWriter>();
        var schemes = new AuthenticationBuilder(services)
            .AddScheme<AuthenticationSchemeOptions, RelayAuthenticationHandler>(RelayAuthenticationHandler.Scheme, null);
        if (!hasTokens) return;
        services.AddSingleton<IAuthenticationConfigurationProvider, NoSchemesInConfiguration>();
        schemes.AddJwtBearer(AccessTokens.Scheme, _ => { });
        services.AddOptions<JwtBearerOptions>(AccessTokens.Scheme).Configure<IOptions<RelayOptions>>(AccessTokens.Configure)
            // A key that the issuer has withdrawn would be accepted for an hour more.
            .PostConfigure(b => ((BaseConfigurationManager)b.ConfigurationManager!).UseLastKnownGoodConfiguration = false);
    }

    /// <summary>
    /// AddAuthentication would let the section <c>Authentication:Schemes</c> change what JwtBearer checks; here only Relay's settings do.
    /// </summary>
    private sealed class NoSchemesInConfiguration : IAuthenticationConfigurationProvider
    {
        public IConfiguration AuthenticationConfiguration { get; } = new ConfigurationBuilder().Build();
    }
}
