using System.Globalization;

namespace Grpc.Wire;

/// <summary>The value of <c>grpc-timeout</c>: at most eight digits and a unit (H, M, S, m, u, n).</summary>
internal static class GrpcTimeout
{
    private const int MaxDigits = 8;
    private const long MaxValue = 99_999_999;

    public static bool TryParse(string text, out TimeSpan timeout)
    {
        timeout = default;
        if (text.Length is < 2 or > MaxDigits + 1)
            return false;
        if (!long.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out long value))
            return false;
        long ticksPerUnit = text[^1] switch
        {
            'H' => TimeSpan.TicksPerHour,
            'M' => TimeSpan.TicksPerMinute,
            'S' => TimeSpan.TicksPerSecond,
            'm' => TimeSpan.TicksPerMillisecond,
            'u' => TimeSpan.TicksPerMicrosecond,
            'n' => 0,
            _ => -1,
        };
        if (ticksPerUnit < 0)
            return false;
        // Eight digits of hours are 3.6e18 ticks: there is no overflow.
        timeout = new TimeSpan(ticksPerUnit == 0 ? value / TimeSpan.NanosecondsPerTick : value * ticksPerUnit);
        return true;
    }

    /// <summary>The finest unit that fits, rounded up so that no deadline is told as already passed.</summary>
    public static string Format(TimeSpan timeout)
    {
        long ticks = Math.Max(timeout.Ticks, 1);
        if (Fits(ticks, TimeSpan.TicksPerMicrosecond, out long value))
            return Text(value, 'u');
        if (Fits(ticks, TimeSpan.TicksPerMillisecond, out value))
            return Text(value, 'm');
        if (Fits(ticks, TimeSpan.TicksPerSecond, out value))
            return Text(value, 'S');
        if (Fits(ticks, TimeSpan.TicksPerMinute, out value))
            return Text(value, 'M');
        Fits(ticks, TimeSpan.TicksPerHour, out value);
        return Text(Math.Min(value, MaxValue), 'H');

        static bool Fits(long ticks, long ticksPerUnit, out long value)
        {
            value = (ticks / ticksPerUnit) + (ticks % ticksPerUnit == 0 ? 0 : 1);
            return value <= MaxValue;
        }

        static string Text(long value, char unit) => string.Create(CultureInfo.InvariantCulture, $"{value}{unit}");
    }
}
