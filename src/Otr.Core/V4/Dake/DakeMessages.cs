using Otr.Core.Crypto.Ed448;
using Otr.Core.V4.Profiles;
using Otr.Core.Wire;

namespace Otr.Core.V4.Dake;

/// <summary>The Identity Message, behind its header: profile ‖ Y ‖ B ‖ first ECDH key ‖ first D-H key.</summary>
internal readonly ref struct IdentityMessage
{
    public ProfileFields Profile { get; private init; }
    public DakeKeyFields Keys { get; private init; }

    /// <summary>Reads the fields; nothing is computed, nothing may follow.</summary>
    public static bool TryParse(ref OtrReader reader, out IdentityMessage message)
    {
        message = default;
        if (!ProfileFields.TryRead(ref reader, out var profile)) return false;
        var ecdh = reader.ReadFixed(Ed448Point.Size);
        var dh = reader.ReadMpi();
        var firstEcdh = reader.ReadFixed(Ed448Point.Size);
        var firstDh = reader.ReadMpi();
        var keys = new DakeKeyFields { Ecdh = ecdh, Dh = dh, FirstEcdh = firstEcdh, FirstDh = firstDh };
        message = new IdentityMessage { Profile = profile, Keys = keys };
        return reader.IsComplete;
    }

    public static void Write(ref OtrWriter writer, ClientProfile profile, DakePublicKeys keys)
    {
        writer.Raw(profile.Encoded);
        writer.Raw(keys.Ecdh.Encoding);
        writer.Mpi(keys.Dh);
        writer.Raw(keys.FirstEcdh.Encoding);
        writer.Mpi(keys.FirstDh);
    }
}

/// <summary>The Auth-R Message, behind its header: profile ‖ X ‖ A ‖ sigma ‖ first ECDH key ‖ first D-H key.</summary>
internal readonly ref struct AuthRMessage
{
    public ProfileFields Profile { get; private init; }
    public DakeKeyFields Keys { get; private init; }
    public ReadOnlySpan<byte> Sigma { get; private init; }

    /// <inheritdoc cref="IdentityMessage.TryParse"/>
    public static bool TryParse(ref OtrReader reader, out AuthRMessage message)
    {
        message = default;
        if (!ProfileFields.TryRead(ref reader, out var profile)) return false;
        var ecdh = reader.ReadFixed(Ed448Point.Size);
        var dh = reader.ReadMpi();
        var sigma = reader.ReadFixed(RingSignature.Size);
        var firstEcdh = reader.ReadFixed(Ed448Point.Size);
        var firstDh = reader.ReadMpi();
        var keys = new DakeKeyFields { Ecdh = ecdh, Dh = dh, FirstEcdh = firstEcdh, FirstDh = firstDh };
        message = new AuthRMessage { Profile = profile, Keys = keys, Sigma = sigma };
        return reader.IsComplete;
    }

    public static void Write(ref OtrWriter writer, ClientProfile profile, DakePublicKeys keys, ReadOnlySpan<byte> sigma)
    {
        writer.Raw(profile.Encoded);
        writer.Raw(keys.Ecdh.Encoding);
        writer.Mpi(keys.Dh);
        writer.Raw(sigma);
        writer.Raw(keys.FirstEcdh.Encoding);
        writer.Mpi(keys.FirstDh);
    }
}

/// <summary>The Auth-I Message, behind its header: sigma.</summary>
internal static class AuthIMessage
{
    /// <inheritdoc cref="IdentityMessage.TryParse"/>
    public static bool TryParse(ref OtrReader reader, out ReadOnlySpan<byte> sigma)
    {
        sigma = reader.ReadFixed(RingSignature.Size);
        return reader.IsComplete;
    }
}
