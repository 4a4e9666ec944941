using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Reflection.V1;

namespace Grpc.Reflection;

/// <summary><c>grpc.reflection.v1.ServerReflection</c> for a set of services.</summary>
public class ReflectionV1ServiceImpl : ServerReflection.ServerReflectionBase
{
    private readonly string[] _services;
    private readonly SymbolRegistry _symbols;

    /// <summary>Reflection over <paramref name="services"/> and the files that declare them.</summary>
    public ReflectionV1ServiceImpl(IEnumerable<ServiceDescriptor> services)
    {
        ServiceDescriptor[] descriptors = [.. services ?? throw new ArgumentNullException(nameof(services))];
        _services = [.. descriptors.Select(descriptor => descriptor.FullName).Order(StringComparer.Ordinal)];
        _symbols = SymbolRegistry.FromFiles(descriptors.Select(descriptor => descriptor.File));
    }

    /// <summary>Reflection over <paramref name="services"/> and the files that declare them.</summary>
    public ReflectionV1ServiceImpl(params ServiceDescriptor[] services)
        : this((IEnumerable<ServiceDescriptor>)services)
    {
    }

    /// <inheritdoc/>
    public override async Task ServerReflectionInfo(IAsyncStreamReader<ServerReflectionRequest> requestStream, IServerStreamWriter<ServerReflectionResponse> responseStream, ServerCallContext context)
    {
        ArgumentNullException.ThrowIfNull(requestStream);
        ArgumentNullException.ThrowIfNull(responseStream);
        ArgumentNullException.ThrowIfNull(context);
        while (await requestStream.MoveNext(context.CancellationToken).ConfigureAwait(false))
            await responseStream.WriteAsync(Answer(requestStream.Current), context.CancellationToken).ConfigureAwait(false);
    }

    private ServerReflectionResponse Answer(ServerReflectionRequest request)
    {
        var response = new ServerReflectionResponse { ValidHost = request.Host, OriginalRequest = request };
        switch (request.MessageRequestCase)
        {
            case ServerReflectionRequest.MessageRequestOneofCase.FileByFilename:
                AnswerFile(response, _symbols.FileByName(request.FileByFilename), "File not found.");
                break;
            case ServerReflectionRequest.MessageRequestOneofCase.FileContainingSymbol:
                AnswerFile(response, _symbols.FileContainingSymbol(request.FileContainingSymbol), "Symbol not found.");
                break;
            case ServerReflectionRequest.MessageRequestOneofCase.FileContainingExtension:
                AnswerFile(
                    response,
                    _symbols.FileContainingExtension(request.FileContainingExtension.ContainingType, request.FileContainingExtension.ExtensionNumber),
                    "Extension not found.");
                break;
            case ServerReflectionRequest.MessageRequestOneofCase.AllExtensionNumbersOfType:
                if (_symbols.ExtensionNumbers(request.AllExtensionNumbersOfType) is { } numbers)
                    response.AllExtensionNumbersResponse = new ExtensionNumberResponse { BaseTypeName = request.AllExtensionNumbersOfType, ExtensionNumber = { numbers } };
                else
                    response.ErrorResponse = Error(StatusCode.NotFound, "Type not found.");
                break;
            case ServerReflectionRequest.MessageRequestOneofCase.ListServices:
                response.ListServicesResponse = new ListServiceResponse { Service = { _services.Select(name => new ServiceResponse { Name = name }) } };
                break;
            case ServerReflectionRequest.MessageRequestOneofCase.None:
            default:
                response.ErrorResponse = Error(StatusCode.InvalidArgument, "The request asks nothing that is known here.");
                break;
        }
        return response;
    }

    private static void AnswerFile(ServerReflectionResponse response, FileDescriptor? file, string notFound)
    {
        if (file is null)
        {
            response.ErrorResponse = Error(StatusCode.NotFound, notFound);
            return;
        }
        response.FileDescriptorResponse = new FileDescriptorResponse();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var next = new Queue<FileDescriptor>([file]);
        while (next.TryDequeue(out FileDescriptor? current))
        {
            if (!seen.Add(current.Name))
                continue;
            response.FileDescriptorResponse.FileDescriptorProto.Add(current.SerializedData);
            foreach (FileDescriptor dependency in current.Dependencies)
                next.Enqueue(dependency);
        }
    }

    private static ErrorResponse Error(StatusCode code, string message) => new() { ErrorCode = (int)code, ErrorMessage = message };
}
