using System.CommandLine;

namespace Relay.Cli;

/// <summary>The examples in the help of each command, by command as typed.</summary>
/// <param name="added">Examples of a program that adds commands; shown before the command's own.</param>
internal sealed class Examples(IReadOnlyDictionary<string, string[]> added)
{
    private static readonly Dictionary<string, string[]> s_lines = new()
    {
        ["relay"] =
        [
            "relay serve                                   start a server on this machine",
            "relay endpoints create --network xmpp --account bot@example.org",
            "relay keys create --scope bot --out bot.key   a key for a bot; the secret goes to the file only",
            "relay doctor                                  find problems, and what to do about them",
        ],
        ["relay serve"] =
        [
            "relay serve                                              loopback, in the default data directory",
            "relay serve --data /var/lib/relay --listen 127.0.0.1:0 --ready-file /run/relay.address",
            "relay serve --listen 0.0.0.0:7420 --certificate chain.pem --certificate-key key.pem",
            "relay serve --database-file db.url --cluster-host relay1 --sealing-key cluster.key --health-listen 0.0.0.0:7421"
                + "     a node of a cluster",
            "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4317 relay serve     traces, metrics and logs by OTLP",
        ],
        ["relay config"] =
        [
            "relay config show",
            "relay config show --data /var/lib/relay --json",
        ],
        ["relay config show"] =
        [
            "relay config show                                        every setting, its value and its source",
            "relay config show --listen 0.0.0.0:7420                  what a server with this option would report: no certificate",
            "relay config show --json",
        ],
        ["relay bridge"] =
        [
            "relay bridge xmpp --component 127.0.0.1:5347 --domain otr.example.org --secret-file component.secret --key-file bridge.key",
            "relay bridge irc --irc irc.example.org:6697 --tls --nick helper --endpoint helper --key-file bridge.key",
        ],
        ["relay bridge irc"] =
        [
            "relay bridge irc --irc irc.example.org:6697 --tls --nick helper --endpoint helper --key-file bridge.key --sasl-file sasl.secret",
            "relay bridge irc --irc 127.0.0.1:6667 --nick helper --endpoint helper --key-file bridge.key",
        ],
        ["relay bridge xmpp"] =
        [
            "relay bridge xmpp --component 127.0.0.1:5347 --domain otr.example.org --secret-file component.secret --key-file bridge.key",
            "relay bridge xmpp --component xmpp.example.org:5347 --tls --domain otr.example.org --secret-file component.secret",
            "relay bridge xmpp --component 127.0.0.1:5347 --domain otr.example.org --secret-file component.secret --subscribers example.org",
            "relay bridge xmpp --account bot@example.org --password-file bot.password --key-file bridge.key",
        ],
        ["relay proxy"] = ["relay proxy xmpp --account alice@example.org", "relay proxy irc --account alice@irc.example.org"],
        ["relay proxy xmpp"] =
        [
            "relay proxy xmpp --account alice@example.org          the client connects to 127.0.0.1:5222",
            "relay proxy xmpp --account alice@example.org --client-tls --private bob@example.net",
            "relay proxy xmpp --account alice@example.org --upstream xmppexample.onion:5222 --proxy socks5://127.0.0.1:9050 --isolate",
            "relay proxy xmpp --account alice@example.org --import ~/.purple     contacts see the same fingerprint as before",
        ],
        ["relay proxy irc"] =
        [
            "relay proxy irc --account alice@irc.example.org       the client connects to 127.0.0.1:6667, with the password that is named",
            "relay proxy irc --account alice@irc.example.org --private bob --client-tls",
            "relay proxy irc --account alice@ircexample.onion --no-tls --proxy socks5://127.0.0.1:9050 --isolate",
            "relay proxy irc --account alice@irc.example.org --import ~/.irssi/otr     contacts see the same fingerprint as before",
        ],
        ["relay bot"] = ["relay bot echo --endpoint support --key-file bot.key"],
        ["relay bot echo"] =
        [
            "relay bot echo --endpoint support --key-file bot.key",
            "relay bot echo --endpoint support --key-file bot.key --smp-secret-file smp.secret     contacts can verify the bot",
        ],
        ["relay status"] = ["relay status", "relay status --watch", "relay status --json"],
        ["relay send"] =
        [
            "relay send support alice@example.org 'We are closed today.' --key-file bot.key",
            "generate-report | relay send support alice@example.org - --request-id report-2026-11-26",
            "relay send support alice@example.org 'The server is down.' --wait 30s      fails if it is known not to arrive",
        ],
        ["relay messages"] =
        [
            "relay messages list support alice@example.org --state undeliverable --key-file bot.key",
            "relay messages get endpoints/support/conversations/C/messages/M --json",
            "relay messages cancel endpoints/support/conversations/C/messages/M       while it is held",
        ],
        ["relay messages list"] =
        [
            "relay messages list support alice@example.org --key-file bot.key",
            "relay messages list support alice@example.org --state undeliverable --json",
        ],
        ["relay messages get"] = ["relay messages get endpoints/support/conversations/C/messages/M --key-file bot.key"],
        ["relay messages cancel"] = ["relay messages cancel endpoints/support/conversations/C/messages/M --key-file bot.key"],
        ["relay files"] =
        [
            "relay files send support alice@example.org report.pdf --type application/pdf --key-file bot.key",
            "relay files list support --key-file bot.key",
            "relay files get support/FILE --out report.pdf --key-file bot.key",
        ],
        ["relay files send"] =
        [
            "relay files send support alice@example.org report.pdf --type application/pdf --key-file bot.key",
            "relay files send support/alice@example.org report.pdf --name 'Report, November.pdf' --json",
        ],
        ["relay files list"] = ["relay files list support --key-file bot.key", "relay files list support --json"],
        ["relay files get"] =
        [
            "relay files get support/FILE --key-file bot.key                 under the name that the peer gave it",
            "relay files get support/FILE --out report.pdf --key-file bot.key",
        ],
        ["relay files delete"] = ["relay files delete support/FILE --key-file bot.key", "relay files rm support/FILE support/OTHER"],
        ["relay tail"] =
        [
            "relay tail support --key-file bot.key                 what comes from now on, without the texts",
            "relay tail support/audit --texts --json               takes the events of a subscription",
        ],
        ["relay chat"] =
        [
            "relay chat support/alice@example.org --start",
            "echo 'hello' | relay chat --endpoint support --peer alice@example.org --json",
        ],
        ["relay endpoints"] =
        [
            "relay endpoints create --network xmpp --account bot@example.org --id support",
            "relay endpoints create --network irc --account bot --max-wire-bytes 350",
            "relay endpoints show support --json",
        ],
        ["relay endpoints create"] =
        [
            "relay endpoints create --network xmpp --account support@example.org --id support",
            "relay endpoints create --network irc --account helper --max-wire-bytes 350     long messages are sent in fragments",
            "relay endpoints create --network xmpp --burner-domain otr.example.org --life 12h     a burner: gone with its keys in 12 hours",
            "relay endpoints create --network xmpp --account me@example.org --otr-key otr.private_key     keep the known key",
        ],
        ["relay endpoints list"] =
        [
            "relay endpoints list", "relay endpoints list --filter 'network = irc AND account : bot'",
            "relay endpoints list --deleted --json", "relay endpoints list --order-by 'create_time desc'",
        ],
        ["relay endpoints delete"] =
        [
            "relay endpoints delete support                  can be undeleted for 30 days",
            "relay endpoints delete support --purge          its keys and conversations are destroyed within seconds",
        ],
        ["relay endpoints rotate"] = ["relay endpoints rotate support", "relay endpoints rotate support --yes --json"],
        ["relay endpoints export"] =
        [
            "relay endpoints export support --out support.relay-id                 sealed to a passphrase, which is asked for",
            "relay endpoints export support --out support.relay-id --to 'mYq3…='   sealed to a public key",
        ],
        ["relay endpoints import"] =
        [
            "relay endpoints import support.relay-id --id support                       an export of another server",
            "relay endpoints import ~/.purple/otr.private_key                           the only account, or a list to choose from",
            "relay endpoints import ~/.purple/otr.private_key --account me@example.org --id me",
            "relay endpoints import ~/.purple/otr.private_key --all                     with otr.fingerprints, if it is beside the file",
        ],
        ["relay endpoints new-archive-key"] = ["relay endpoints new-archive-key --out archive.key     prints the public key"],
        ["relay endpoints undelete"] = ["relay endpoints list --deleted", "relay endpoints undelete support"],
        ["relay endpoints show"] = ["relay endpoints show support", "relay endpoints show support --json"],
        ["relay endpoints update"] =
        [
            "relay endpoints update support --require-verified once --key-change refuse",
            "relay endpoints update support --query-text 'Bitte installieren Sie OTR.' --name 'Support, Berlin'",
            "relay endpoints update helper --max-wire-bytes 350 --single-line true     an IRC nick",
        ],
        ["relay conversations"] =
        [
            "relay conversations list support",
            "relay conversations start support --peer alice@example.org",
            "relay conversations end support/alice@example.org",
        ],
        ["relay conversations list"] =
        [
            "relay conversations list support --state encrypted --trust unverified",
            "relay conversations list support --trust held               keys that somebody has to decide about",
            "relay conversations list support --label team=sales --order-by 'update_time desc'",
            "relay conversations list support --filter 'peer : example.org' --json",
        ],
        ["relay conversations label"] =
            ["relay conversations label support/alice@example.org team=sales", "relay conversations label support/alice@example.org team="],
        ["relay conversations delete"] =
            ["relay conversations delete support/alice@example.org", "relay conversations delete endpoints/support/conversations/… --yes"],
        ["relay conversations show"] =
            ["relay conversations show support/alice@example.org", "relay conversations show endpoints/support/conversations/… --json"],
        ["relay conversations start"] = ["relay conversations start support --peer alice@example.org"],
        ["relay conversations end"] =
            ["relay conversations end support/alice@example.org", "relay conversations end endpoints/support/conversations/…"],
        ["relay identities"] =
        [
            "relay identities list support alice@example.org",
            "relay identities trust support alice@example.org '5E8C0A17 …' --note 'compared by telephone'",
            "relay identities distrust support alice@example.org '5E8C0A17 …'",
            "relay identities import support ~/.purple/otr.fingerprints --account me@example.org",
        ],
        ["relay identities accept"] = ["relay identities accept support alice@example.org '5E8C0A17 …'     what waits for the key is sent"],
        ["relay identities refuse"] = ["relay identities refuse support alice@example.org '5E8C0A17 …'     what waits for the key is dropped"],
        ["relay identities import"] = ["relay identities import support ~/.purple/otr.fingerprints --account me@example.org"],
        ["relay identities list"] = ["relay identities list support alice@example.org"],
        ["relay identities trust"] =
            ["relay identities trust support alice@example.org '5E8C0A17 …' --note 'compared by telephone'"],
        ["relay identities distrust"] = ["relay identities distrust support alice@example.org '5E8C0A17 …'"],
        ["relay verify"] =
        [
            "relay verify support alice@example.org                                   asks for the secret without showing it",
            "relay verify support alice@example.org --question 'Where did we meet?'   the secret is the answer",
            "relay verify support/alice@example.org                                   the same; answers, if Alice has begun",
        ],
        ["relay subscriptions"] =
        [
            "relay subscriptions create support/audit --events text --max-deliveries 0",
            "relay subscriptions list support",
        ],
        ["relay subscriptions create"] =
        [
            "relay subscriptions create support/bot                                  all events; set aside after five deliveries",
            "relay subscriptions create support/audit --events text,identity --ack-wait 5m",
            "relay subscriptions create support/crm --webhook https://crm.example.org/relay",
            "relay endpoints update support --event-stream false                     if nobody reads the endpoint's own stream",
        ],
        ["relay subscriptions list"] = ["relay subscriptions list support", "relay subscriptions list support --json"],
        ["relay subscriptions show"] = ["relay subscriptions show support/audit"],
        ["relay subscriptions delete"] = ["relay subscriptions delete support/audit"],
        ["relay subscriptions seek"] =
        [
            "relay subscriptions seek support/audit                                  pass over all that waits",
            "relay subscriptions seek support/audit --time '3 hours ago'",
            "relay subscriptions seek support/audit --time 2026-11-26T12:00Z",
        ],
        ["relay dead-letters"] =
        [
            "relay dead-letters list support/bot --key-file bot.key",
            "relay dead-letters retry support/bot",
        ],
        ["relay dead-letters list"] = 
            ["relay dead-letters list support/bot --key-file bot.key", "relay dead-letters list support/bot --texts --json"],
        ["relay dead-letters retry"] = ["relay dead-letters retry support/bot", "relay dead-letters retry support/bot 17 21"],
        ["relay dead-letters drop"] = ["relay dead-letters drop support/bot 17"],
        ["relay keys"] =
        [
            "relay keys create --scope bot --endpoint support --expires 90d --out bot.key",
            "RELAY_KEY_FILE=bot.key ./my-bot",
            "relay keys revoke apiKeys/…",
        ],
        ["relay keys create"] =
        [
            "relay keys create --scope bot --endpoint support --expires 90d --out bot.key",
            "relay keys create --scope bridge --endpoint support --out bridge.key",
            "relay keys create --scope admin --name deployment --out deploy.key",
            "relay keys create --scope monitor --scope trust --endpoint 'support-*' --no-expiry --out watch.key",
        ],
        ["relay keys list"] = ["relay keys list", "relay keys list --json"],
        ["relay keys rotate"] =
        [
            "relay keys rotate apiKeys/… --out bot.new.key                  both secrets are valid for a day",
            "relay keys rotate apiKeys/… --overlap 0 --out bot.new.key      the present one ends at once: somebody else may have it",
        ],
        ["relay keys update"] =
        [
            "relay keys update apiKeys/… --calls-per-second 50 --streams 10     its holder is told by GetCaller",
            "relay keys update apiKeys/… --server-limits --expires 90d",
        ],
        ["relay keys delete"] = ["relay keys delete     all that are revoked or have expired", "relay keys delete apiKeys/…"],
        ["relay keys revoke"] = ["relay keys revoke apiKeys/…     'relay keys list' shows the names"],
        ["relay audit"] = ["relay audit list", "relay audit verify --head audit.head"],
        ["relay audit list"] = ["relay audit list", "relay audit list --last 0 --json     every entry that is kept"],
        ["relay audit verify"] =
        [
            "relay audit verify",
            "relay audit verify --head audit.head     also notices if the log was cut off since the last time",
        ],
        ["relay nodes"] =
        [
            "relay nodes",
            "relay nodes --server https://a.example.org:7420,https://b.example.org:7420 --json     any reachable node answers for all",
        ],
        ["relay doctor proxy"] = ["relay doctor proxy xmpp --account alice@example.org", "relay doctor proxy irc --account alice@irc.example.org"],
        ["relay doctor proxy xmpp"] =
        [
            "relay doctor proxy xmpp --account alice@example.org",
            "relay doctor proxy xmpp --account alice@example.org --client-tls --proxy socks5://127.0.0.1:9050",
        ],
        ["relay doctor proxy irc"] =
        [
            "relay doctor proxy irc --account alice@irc.example.org",
            "relay doctor proxy irc --account alice@irc.example.org --account-certificate alice.pem",
        ],
        ["relay backup"] =
        [
            "relay backup --out relay.bak                              asks for a passphrase; the server may run",
            "relay backup --out relay.bak --to PUBLICKEY               of 'relay endpoints new-archive-key': nobody has to be asked",
            "relay backup --out - --to PUBLICKEY                       to standard output, for a pipe to another machine",
            "relay backup --out relay.bak --to PUBLICKEY --database-file db.url --sealing-key cluster.key",
        ],
        ["relay restore"] =
        [
            "relay restore relay.bak --dry-run                         read it to its end, and look at the store",
            "relay restore relay.bak --data /var/lib/relay --private-key-file mine.key",
            "relay restore relay.bak --replace --database-file db.url --sealing-key cluster.key",
        ],
        ["relay upgrade"] =
        [
            "relay upgrade --check --data /var/lib/relay",
            "relay upgrade --check --database-file db.url --sealing-key cluster.key --json",
        ],
        ["relay doctor"] =
        [
            "relay doctor --data /var/lib/relay",
            "relay doctor --database-file db.url --sealing-key cluster.key",
            "relay doctor --server https://relay.example.org:7420 --key-file admin.key --json",
        ],
        ["relay completion"] =
        [
            "eval \"$(relay completion bash)\"     in ~/.bashrc",
            "relay completion bash", "relay completion zsh", "relay completion fish",
        ],
        ["relay health"] =
        [
            "relay health",
            "relay health --server https://relay.example.org:7420 --ca authority.pem",
            "relay health --server https://a.example.org:7420,https://b.example.org:7420     exit code 0 if one of them is ready",
        ],
    };

    public IReadOnlyList<string> Of(Command command)
    {
        var name = Name(command);
        return [.. added.GetValueOrDefault(name, []), .. s_lines.GetValueOrDefault(name, [])];
    }

    /// <summary>A command as typed: <c>relay keys create</c>.</summary>
    public static string Name(Command command) =>
        command is RootCommand ? "relay" : Name(command.Parents.OfType<Command>().First()) + " " + command.Name;
}
