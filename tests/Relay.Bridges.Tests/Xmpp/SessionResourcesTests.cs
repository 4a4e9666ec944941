using Relay.Bridges.Xmpp;

namespace Relay.Bridges.Tests.Xmpp;

/// <summary>Where text goes (checklist, points 14 to 17).</summary>
public sealed class SessionResourcesTests
{
    private const string Endpoint = "endpoints/bot";
    private static readonly Jid s_alice = new("alice", "example.org", "");
    private readonly SessionResources _resources = new();

    [Fact]
    public void Nobody_has_spoken_everything_goes_to_the_bare_address()
    {
        Assert.Equal(s_alice, To(Query));
        Assert.Equal(s_alice, To(Data(receiver: 7)));
    }

    [Fact]
    public void Text_of_a_session_goes_to_the_resource_that_spoke_for_its_instance()
    {
        Heard("phone", Data(sender: 7));
        Heard("desk", Data(sender: 8));
        Assert.Equal(At("phone"), To(Data(receiver: 7)));
        Assert.Equal(At("desk"), To(Data(receiver: 8)));
        // mcabber takes a new resource at each connection, and keeps its session.
        Heard("phone2", Data(sender: 7));
        Assert.Equal(At("phone2"), To(Data(receiver: 7)));
    }

    [Fact]
    public void Version_2_has_one_session_and_the_last_that_spoke_has_it()
    {
        Heard("phone", Data());
        Assert.Equal(At("phone"), To(Data()));
        Heard("desk", new OtrText(OtrTextKind.Plain));
        Assert.Equal(At("phone"), To(Data()));
        Heard("desk", Data());
        Assert.Equal(At("desk"), To(Data()));
    }

    [Fact]
    public void Offers_and_plain_text_go_to_the_bare_address_and_answers_to_who_asked()
    {
        Heard("phone", Data(sender: 7));
        Assert.Equal(s_alice, To(Query));
        Assert.Equal(s_alice, To(new OtrText(OtrTextKind.Plain)));
        Heard("desk", Query);
        Assert.Equal(At("desk"), To(new OtrText(OtrTextKind.Commit, 1)));
        Assert.Equal(At("desk"), To(new OtrText(OtrTextKind.Error)));
    }

    [Fact]
    public void Text_for_a_resource_that_is_gone_waits_until_somebody_speaks()
    {
        Heard("phone", Data(sender: 7));
        _resources.Left(Endpoint, At("phone"));
        _resources.Route(Endpoint, s_alice, Data(receiver: 7), out var waitFor);
        Assert.False(waitFor!.IsCompleted);
        // Presence of a bare address is not a resource that goes or comes; another resource's is not this one's.
        _resources.Came(Endpoint, At("desk"));
        Assert.False(waitFor.IsCompleted);
        Heard("phone2", Data(sender: 7));
        Assert.True(waitFor.IsCompleted);
        Assert.Equal(At("phone2"), To(Data(receiver: 7)));
    }

    [Fact]
    public void A_resource_that_is_back_has_its_session()
    {
        Heard("phone", Data(sender: 7));
        _resources.Left(Endpoint, At("phone"));
        _resources.Route(Endpoint, s_alice, Data(receiver: 7), out var waitFor);
        _resources.Came(Endpoint, At("phone"));
        Assert.True(waitFor!.IsCompleted);
        Assert.Equal(At("phone"), To(Data(receiver: 7)));
    }

    [Fact]
    public void Waiting_can_be_given_up()
    {
        Heard("phone", Data(sender: 7));
        _resources.Left(Endpoint, At("phone"));
        _resources.GiveUp(Endpoint, s_alice);
        Assert.Equal(s_alice, To(Data(receiver: 7)));
    }

    [Fact]
    public void Presence_of_a_bare_address_says_nothing_of_resources()
    {
        Heard("phone", Data(sender: 7));
        _resources.Left(Endpoint, s_alice);
        Assert.Equal(At("phone"), To(Data(receiver: 7)));
    }

    [Fact]
    public void An_error_of_another_resource_is_not_the_sessions()
    {
        Heard("phone", Data(sender: 7));
        Assert.True(_resources.IsErrorOfOther(Endpoint, At("desk")));
        Assert.False(_resources.IsErrorOfOther(Endpoint, At("phone")));
        Assert.False(_resources.IsErrorOfOther("endpoints/other", At("desk")));
    }

    [Fact]
    public void Endpoints_do_not_share_sessions()
    {
        Heard("phone", Data(sender: 7));
        Assert.Equal(s_alice, _resources.Route("endpoints/other", s_alice, Data(receiver: 7), out _));
    }

    private static OtrText Query => new(OtrTextKind.Query);

    private static OtrText Data(uint sender = 0, uint receiver = 0) => new(OtrTextKind.Data, sender, receiver);

    private static Jid At(string resource) => s_alice with { Resource = resource };

    private void Heard(string resource, OtrText otr) => _resources.Heard(Endpoint, At(resource), otr);

    private Jid To(OtrText otr)
    {
        var to = _resources.Route(Endpoint, s_alice, otr, out var waitFor);
        Assert.Null(waitFor);
        return to;
    }
}
