using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Configuration;
using Akka.Serialization;

namespace Relay.Actors.Cluster;

/// <summary>
/// Takes the place of one of Akka's serializers that make objects of types named by the sender. Nothing that Relay or
/// Akka's cluster sends needs them, so whoever uses one is refused before any of its bytes is looked at.
/// </summary>
internal abstract class RefusingSerializer(ExtendedActorSystem system, int identifier) : Serializer(system)
{
    public override int Identifier { get; } = identifier;

    public override bool IncludeManifest => false;

    public override byte[] ToBinary(object obj)
        => throw new SerializationException($"A {obj.GetType()} is not sent between nodes: no serializer is registered for it.");

    public override object FromBinary(byte[] bytes, Type type)
        => throw new SerializationException($"A message of serializer {Identifier} is refused: Relay's nodes do not use it.");
}

/// <summary>In the place of Newtonsoft.Json, which any type can be named to.</summary>
internal sealed class RefusingJsonSerializer(ExtendedActorSystem system) : RefusingSerializer(system, 1)
{
    /// <summary>Akka makes this one with its settings.</summary>
    public RefusingJsonSerializer(ExtendedActorSystem system, Config _) : this(system)
    {
    }
}

/// <summary>In the place of the serializer of Protobuf types by their names.</summary>
internal sealed class RefusingProtoSerializer(ExtendedActorSystem system) : RefusingSerializer(system, 2);

/// <summary>In the place of the serializer by which a node has another one make an actor.</summary>
internal sealed class RefusingDaemonCreateSerializer(ExtendedActorSystem system) : RefusingSerializer(system, 3);
