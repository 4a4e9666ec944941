using Google.Protobuf.WellKnownTypes;

namespace Relay.Gateway.Api;

/// <summary>Reads times of requests, which may be anything that a client sends.</summary>
internal static class RequestTimes
{
    private static readonly long s_first = DateTimeOffset.MinValue.ToUnixTimeSeconds(), s_last = DateTimeOffset.MaxValue.ToUnixTimeSeconds();

    public static bool IsValid(Timestamp time) =>
        time.Seconds >= s_first && time.Seconds <= s_last && time.Nanos is >= 0 and <= 999_999_999;

    /// <summary>Null for none, and for what is no time.</summary>
    public static DateTimeOffset? Read(Timestamp? time) => time is not null && IsValid(time) ? time.ToDateTimeOffset() : null;
}
