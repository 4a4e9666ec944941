namespace Relay.Actors.Files;

/// <summary>Every bound of files but the store's (<see cref="Storage.StorageLimits"/>), with what happens when it is reached.</summary>
public static class FileLimits
{
    /// <summary>
    /// Largest file of the format; <see cref="FileSettings.MaxFileBytes"/> may allow less. A larger one is refused when it is created; an
    /// offer of a larger one is told as a notice.
    /// </summary>
    public const long MaxFileBytes = 64L << 20;
    /// <summary>Bytes of a file in one portion.</summary>
    public const int PortionBytes = 64 << 10;
    /// <summary>Bytes of the largest part of a blob.</summary>
    public const int BlobPartBytes = FileCipher.SealedPortionSize;
    /// <summary>Longest name, media type and URL, in bytes of UTF-8: together with the rest of an offer they fit a TLV's data.</summary>
    public const int MaxNameBytes = 255, MaxMediaTypeBytes = 127, MaxUrlBytes = 512;
    /// <summary>What stands between the public base URL and the token in a link.</summary>
    public const string LinkPath = "/files/";
    /// <summary>Longest public base URL, in characters: a link with it fits <see cref="MaxUrlBytes"/>.</summary>
    public const int MaxPublicUrlLength = 300;
    /// <summary>Largest settings of how many files, and bytes of files, an endpoint or a peer may have.</summary>
    public const long MaxFiles = 1_000_000, MaxBytes = 1L << 50;
    /// <summary>
    /// Life of a file from its creation or offer, unless <see cref="FileSettings.Life"/> says otherwise. When it is over, the file and its
    /// keys are deleted.
    /// </summary>
    public static readonly TimeSpan Life = TimeSpan.FromDays(7);
    /// <summary>Interval at which a node looks for files whose life is over, and how many it deletes in one go.</summary>
    public static readonly TimeSpan ExpiryInterval = TimeSpan.FromSeconds(30);
    /// <summary>
    /// Shortest time between two times that a node has the database destroy what is left of the rows of deleted files, if it has deleted any.
    /// </summary>
    public static readonly TimeSpan ScrubInterval = TimeSpan.FromMinutes(10);
    /// <summary>As <see cref="ExpiryInterval"/>.</summary>
    public const int MaxExpiriesPerLook = 100;
}
