using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Relay.Gateway.Auth;

namespace Relay.Gateway.WebConsole;

/// <summary>One request of somebody who is signed in: what pages are made from.</summary>
/// <param name="Path">Without a slash at its end: <c>/keys</c>; of the overview, a slash.</param>
/// <param name="Fields">Of a form that was sent; empty for a page that is read.</param>
internal sealed record Visit(
    HttpContext Http, ConsoleSession Session, ApiCalls Api, TimeProvider Time, string Path, IFormCollection Fields)
{
    /// <summary>The id of the form that was sent, which calls take as their request id: a repetition has no further effect.</summary>
    public string RequestId => Fields[FormFields.Id].ToString();

    public Principal Caller => Session.Caller;

    public DateTimeOffset Now { get; } = Time.GetUtcNow();

    /// <inheritdoc cref="ApiCalls.May"/>
    public bool May(string method) => ApiCalls.May(Caller, method);

    public string Query(string name) => Http.Request.Query[name].ToString();

    /// <inheritdoc cref="ApiCalls.CallAsync{TRequest, TResponse}"/>
    public Task<TResponse> CallAsync<TRequest, TResponse>(UnaryServerMethod<TRequest, TResponse> method, TRequest request)
        where TRequest : class where TResponse : class => Api.CallAsync(Caller, method, request, Http.RequestAborted);

    /// <summary>A form that this session may send once, with the fields that hold it to that.</summary>
    /// <param name="path">Where it is sent.</param>
    public Markup Form(string path, Markup content, string style = "acts")
    {
        var (id, code) = Session.NewForm(path, Now);
        return Markup.Of($"""
            <form method="post" action="{path}" class="{style}"><input type="hidden" name="{FormFields.Id}" value="{id}"><input type="hidden" name="{FormFields.Code}" value="{code}">{content}</form>
            """);
    }
}

/// <summary>Names of the fields that every form has.</summary>
internal static class FormFields
{
    public const string Id = "form", Code = "code";
}

/// <summary>What a request to the console is answered with.</summary>
internal abstract record ConsoleReply
{
    /// <summary>A page.</summary>
    /// <param name="Title">Its heading, which may be foreign text.</param>
    /// <param name="Section">The path of its entry in the navigation.</param>
    public sealed record Page(string Title, string Section, Markup Content) : ConsoleReply
    {
        public int Status { get; init; } = StatusCodes.Status200OK;

        /// <summary>Above the heading: where the page is.</summary>
        public Markup Crumbs { get; init; } = Markup.Empty;
    }

    /// <summary>Another page is to be read: a form was carried out.</summary>
    public sealed record SeeOther(string Path) : ConsoleReply;
}
