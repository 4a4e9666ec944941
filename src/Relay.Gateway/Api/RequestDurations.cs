using Google.Protobuf.WellKnownTypes;

namespace Relay.Gateway.Api;

/// <summary>Reads durations of requests, which may hold any numbers.</summary>
internal static class RequestDurations
{
    /// <returns>Null if it is negative, longer than <paramref name="most"/>, or no duration.</returns>
    public static TimeSpan? Within(Duration asked, TimeSpan most)
    {
        // Checked first: a duration of 2^63 seconds does not convert.
        if (asked.Seconds < 0 || asked.Seconds > (long)most.TotalSeconds || asked.Nanos is < 0 or > 999_999_999) return null;
        return asked.ToTimeSpan() is var time && time <= most ? time : null;
    }
}
