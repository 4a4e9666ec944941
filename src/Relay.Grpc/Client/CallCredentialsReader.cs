using Grpc.Core;

namespace Grpc.Net.Client;

/// <summary>Collects the delegates that call credentials are made of.</summary>
internal sealed class CallCredentialsReader : CallCredentialsConfiguratorBase
{
    private readonly List<AsyncAuthInterceptor> _interceptors = [];

    public static IReadOnlyList<AsyncAuthInterceptor> Read(IReadOnlyList<CallCredentials> ofChannel, CallCredentials? ofCall)
    {
        if (ofChannel.Count == 0 && ofCall is null)
            return [];
        var reader = new CallCredentialsReader();
        foreach (CallCredentials credentials in ofChannel)
            credentials.InternalPopulateConfiguration(reader, null);
        ofCall?.InternalPopulateConfiguration(reader, null);
        return reader._interceptors;
    }

    public override void SetCompositeCredentials(object? state, IReadOnlyList<CallCredentials> credentials)
    {
        foreach (CallCredentials part in credentials)
            part.InternalPopulateConfiguration(this, state);
    }

    public override void SetAsyncAuthInterceptorCredentials(object? state, AsyncAuthInterceptor interceptor) => _interceptors.Add(interceptor);
}
