using RabbitMQ.Client;

namespace Relay.Actors.Cluster.Broker;

/// <summary>A message as the broker hands it over. The body is valid only until the handler's task completes.</summary>
internal readonly record struct Delivery(ulong Tag, string RoutingKey, IReadOnlyBasicProperties Properties, ReadOnlyMemory<byte> Body);

/// <summary>Passes deliveries on, one after the other, and says when the broker has ended the consumer.</summary>
internal sealed class DeliveryConsumer(IChannel channel, Func<Delivery, Task> deliver, Action? cancelled = null) : IAsyncBasicConsumer
{
    public IChannel Channel => channel;

    public Task HandleBasicDeliverAsync(string consumerTag, ulong deliveryTag, bool redelivered, string exchange, string routingKey, IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
        => deliver(new Delivery(deliveryTag, routingKey, properties, body));

    public Task HandleBasicCancelAsync(string consumerTag, CancellationToken cancellationToken)
    {
        cancelled?.Invoke();
        return Task.CompletedTask;
    }

    public Task HandleBasicCancelOkAsync(string consumerTag, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task HandleBasicConsumeOkAsync(string consumerTag, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task HandleChannelShutdownAsync(object channel, RabbitMQ.Client.Events.ShutdownEventArgs reason) => Task.CompletedTask;
}
