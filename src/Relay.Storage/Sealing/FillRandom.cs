namespace Relay.Storage.Sealing;

/// <summary>Fills <paramref name="destination"/> with independent, uniform, unpredictable bytes. Safe for many threads.</summary>
public delegate void FillRandom(Span<byte> destination);
