using Otr.Core;
using Relay.Actors.Conversations;
using Relay.Actors.Subscriptions;
using Relay.Storage.Sealing;

namespace Relay.Actors.Endpoints;

/// <summary>The settings of an endpoint in its row.</summary>
internal static class EndpointSettingsCodec
{
    private const int LeastSubscriptionSize = 4 + 1 + 8 + 4;

    public static void Write(RowWriter row, EndpointSettings settings)
    {
        row.Text(settings.DisplayName);
        row.UInt32((uint)settings.Policy);
        row.UInt32((uint)settings.MaxWireBytes);
        row.Bool(settings.SingleLine);
        row.Bool(settings.QueryText is not null);
        if (settings.QueryText is not null) row.Text(settings.QueryText);
        row.Bool(settings.AnswersStrangers);
        row.Name(settings.KeyChange);
        row.Name(settings.TrustRequirement);
        row.UInt32((uint)settings.PaddingBlock);
        row.Name(settings.TextFormat);
        row.Int64(settings.SessionIdleLife.Ticks);
        row.Int64(settings.VerificationAnswerTime.Ticks);
        AutomaticAnswers.WriteSecret(row, settings.AnswerSecret);
        row.Bool(settings.HasOwnEventStream);
        row.UInt32((uint)settings.Subscriptions.Count);
        foreach (var subscription in settings.Subscriptions) SubscriptionMessageCodec.WriteSettings(row, subscription);
    }

    public static EndpointSettings Read(ref RowReader row) => new()
    {
        DisplayName = row.Text(),
        Policy = (OtrPolicy)row.UInt32(),
        MaxWireBytes = (int)row.UInt32(),
        SingleLine = row.Bool(),
        QueryText = row.Bool() ? row.Text() : null,
        AnswersStrangers = row.Bool(),
        KeyChange = row.Name<KeyChangeAction>(),
        TrustRequirement = row.Name<TrustRequirement>(),
        PaddingBlock = (int)row.UInt32(),
        TextFormat = row.Name<TextFormat>(),
        SessionIdleLife = new TimeSpan(row.Int64()),
        VerificationAnswerTime = new TimeSpan(row.Int64()),
        AnswerSecret = AutomaticAnswers.ReadSecret(ref row),
        HasOwnEventStream = row.Bool(),
        Subscriptions = ReadSubscriptions(ref row),
    };

    private static SubscriptionList ReadSubscriptions(ref RowReader row)
    {
        var list = new SubscriptionSettings[row.Count(LeastSubscriptionSize)];
        for (int i = 0; i < list.Length; i++) list[i] = SubscriptionMessageCodec.ReadSettings(ref row);
        return list.Length == 0 ? SubscriptionList.Empty : new SubscriptionList(list);
    }
}
