using System.Net.Sockets;
using System.Security.Authentication;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Relay.Storage;

namespace Relay.Actors.Cluster.Broker;

/// <summary>Says in words why the broker cannot be used, for whoever starts a node. Without the address: it holds a password.</summary>
internal static class BrokerFaults
{
    /// <summary>What will not mend by trying again; null for the rest.</summary>
    public static RelayStartException? Lasting(Exception e, RabbitBrokerOptions options)
    {
        if (e is RelayStartException start) return start;
        var chain = Chain(e).ToList();
        var vhost = $"the virtual host '{VirtualHost(options.Uri)}'";
        if (chain.OfType<AuthenticationFailureException>().Any() || chain.OfType<PossibleAuthenticationFailureException>().Any())
            return new RelayStartException($"The broker at {Place(options.Uri)} refuses the user or the password. Check both in the broker's address (with % codes for special characters), and `rabbitmqctl list_users`.", e);
        if (chain.OfType<OperationInterruptedException>().FirstOrDefault(o => o.ShutdownReason?.ReplyCode == Constants.NotAllowed) is { } notAllowed)
        {
            return new RelayStartException(notAllowed.ShutdownReason!.ReplyText.Contains("not found", StringComparison.Ordinal)
                ? $"The broker at {Place(options.Uri)} has no {vhost[4..]}. Make it: rabbitmqctl add_vhost {VirtualHost(options.Uri)}"
                : $"The broker at {Place(options.Uri)} does not let this user into {vhost}. Give it permissions: rabbitmqctl set_permissions -p {VirtualHost(options.Uri)} USER '.*' '.*' '.*'", e);
        }
        if (chain.OfType<AuthenticationException>().FirstOrDefault() is { } tls)
            return new RelayStartException($"TLS with the broker at {Place(options.Uri)} failed: {tls.Message} Check the certificate authority, the name in the broker's certificate, and this node's own certificate if the broker wants one.", e);
        return null;
    }

    /// <summary>That it could not be reached in time.</summary>
    public static RelayStartException Unreachable(Exception e, RabbitBrokerOptions options)
    {
        var cause = Chain(e).FirstOrDefault(c => c is SocketException) ?? Chain(e).Last();
        var plain = options.Uri.Scheme == "amqp" ? "" : " (An amqps address needs the broker's TLS port, mostly 5671.)";
        return new RelayStartException($"The broker at {Place(options.Uri)} cannot be reached: {cause.Message}. See that RabbitMQ runs and listens there.{plain}", e);
    }

    /// <summary>For a log: what we say ourselves, or the type of the innermost exception.</summary>
    public static string Name(Exception e) => e is RelayStartException ? e.Message : Chain(e).Last().GetType().Name;

    private static string Place(Uri uri) => $"{uri.Host}:{(uri.IsDefaultPort || uri.Port < 0 ? uri.Scheme == "amqps" ? 5671 : 5672 : uri.Port)}";

    private static string VirtualHost(Uri uri) => uri.AbsolutePath is "" or "/" ? "/" : Uri.UnescapeDataString(uri.AbsolutePath[1..]);

    private static IEnumerable<Exception> Chain(Exception e)
    {
        for (Exception? next = e; next is not null; next = next.InnerException)
        {
            yield return next;
            if (next is AggregateException aggregate)
            {
                foreach (var inner in aggregate.InnerExceptions.Skip(1).SelectMany(Chain)) yield return inner;
            }
        }
    }
}
