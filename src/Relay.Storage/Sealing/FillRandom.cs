namespace Relay.Storage.Sealing;

/// <summary>Fills <paramref name="destination"/> with independent, uniform, unpredictable bytes. Thread-safe.</summary>
public delegate void FillRandom(Span<byte> destination);
