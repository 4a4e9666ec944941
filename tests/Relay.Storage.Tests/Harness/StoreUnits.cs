
namespace Relay.Storage.Tests.Harness;

/// <summary>What the tests put into a store: endpoint `e`, its streams, and rows that say their sequence.</summary>
internal static class StoreUnits
{
    public static readonly StreamKey Wire = new("e", StreamKind.Wire), Events = new("e", StreamKind.Events);

    public static EndpointRow Endpoint(string id, UInt128 address, UInt128 request) => new(id, address, request, 77, [1, 2, 3]);

    public static CommitUnit Unit(string id, ulong expected, byte mark = 0, params StreamRow[] outbox)
        => new() { EndpointId = "e", ConversationId = id, ExpectedVersion = expected, Sealed = [mark], UpdatedMs = 1000 + mark, Outbox = outbox };

    /// <summary>Seals to its sequence and its mark.</summary>
    public sealed class Row(StreamKey stream, byte mark, int size = 2) : StreamRow
    {
        public override StreamKey Stream => stream;

        public override byte[] Seal(ulong sequence)
        {
            var value = new byte[size];
            (value[0], value[1]) = ((byte)sequence, mark);
            return value;
        }
    }

    public sealed class BrokenRow : StreamRow
    {
        public override StreamKey Stream => Wire;

        public override byte[] Seal(ulong sequence) => throw new InvalidOperationException("Broken on purpose.");
    }
}
