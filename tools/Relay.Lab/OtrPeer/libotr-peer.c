/*
 * An OTR test peer that uses libotr 4: one endpoint, with commands on stdin and events as JSON lines on stdout.
 * Commands: start recv send smp-start smp-answer smp-abort end fragment policy genkey loadkey fingerprint extra-key
 * instag state quit, and in addition to the common protocol: pass <seconds> (advances the clock and runs libotr's timer).
 *
 * Build: cc -Wall -Wextra -Werror libotr-peer.c -o libotr-peer $(pkg-config --cflags --libs libotr) -lgcrypt
 * Licensed under the Apache License, Version 2.0.
 */
#define _GNU_SOURCE
#include "peer-line.h"

#include <gcrypt.h>
#include <time.h>
#include <libotr/proto.h>
#include <libotr/tlv.h>
#include <libotr/instag.h>
#include <libotr/message.h>
#include <libotr/privkey.h>
#include <libotr/version.h>

#define PROTOCOL "prpl-relay"

static OtrlUserState us;
static const char *me, *them;
static OtrlPolicy policy = OTRL_POLICY_MANUAL;
static int largest_message;
static int smp_asked;
static int decrypted;
/* A key was to be loaded and could not be: none is generated then, because it would pass for the one that was asked for. */
static int load_failed;
static long clock_ahead;

/* The last reported state, so that changes for which libotr has no callback are reported too. */
static ConnContext *reported;
static OtrlMessageState reported_state = OTRL_MSGSTATE_PLAINTEXT;

/* Replaces the C library's time() for libotr, because the symbols of the executable take precedence. */
time_t time(time_t *result)
{
    struct timespec now;
    time_t seconds;

    clock_gettime(CLOCK_REALTIME, &now);
    seconds = now.tv_sec + clock_ahead;
    if (result) *result = seconds;
    return seconds;
}

static ConnContext *best(void)
{
    ConnContext *master = otrl_context_find(us, them, me, PROTOCOL, OTRL_INSTAG_MASTER, 1, NULL, NULL, NULL);
    ConnContext *context = otrl_context_find(us, them, me, PROTOCOL, OTRL_INSTAG_BEST, 0, NULL, NULL, NULL);
    return context ? context : master;
}

static void report_state(ConnContext *context, const char *cause)
{
    static const char *const names[] = { "PLAINTEXT", "ENCRYPTED", "FINISHED" };

    put_event("state");
    put_string("state", names[context->msgstate]);
    put_number("version", context->protocol_version);
    put_string("cause", cause);
    if (context->msgstate == OTRL_MSGSTATE_ENCRYPTED) {
        put_hex("ssid", context->sessionid, context->sessionid_len);
        put_string("ssid_bold", context->sessionid_half == OTRL_SESSIONID_FIRST_HALF_BOLD ? "first" : "second");
        if (context->active_fingerprint) put_hex("peer_fingerprint", context->active_fingerprint->fingerprint, 20);
    }
    if (context->protocol_version == 3) {
        put_instag("our_instag", context->our_instance);
        put_instag("their_instag", context->their_instance);
    }
    put_end();
    reported = context;
    reported_state = context->msgstate;
}

static void report_silent_change(void)
{
    ConnContext *context = best();
    if (context->msgstate != reported_state) report_state(context, "silent");
    else reported = context;
}

static void report_fingerprint(const char *who, const unsigned char *hash, int is_new)
{
    put_event("fingerprint");
    put_string("who", who);
    put_hex("hex", hash, 20);
    put_bool("new", is_new);
    put_end();
}

static void report_wire(const char *message)
{
    put_event("wire");
    put_data("data", message, strlen(message));
    put_end();
}

static void report_plain(const char *text, int encrypted)
{
    put_event("plain");
    put_data("data", text, strlen(text));
    put_bool("encrypted", encrypted);
    put_end();
}

/* ---- callbacks of libotr ---- */

static OtrlPolicy on_policy(void *data, ConnContext *context)
{
    (void)data; (void)context;
    return policy;
}

static int generate_key(const char *file)
{
    FILE *nowhere;
    gcry_error_t error;

    if (file && *file) return !otrl_privkey_generate(us, file, me, PROTOCOL);
    nowhere = must(tmpfile());
    error = otrl_privkey_generate_FILEp(us, nowhere, me, PROTOCOL);
    fclose(nowhere);
    return !error;
}

static void on_create_privkey(void *data, const char *account, const char *protocol)
{
    (void)data; (void)account; (void)protocol;
    if (!load_failed) generate_key(NULL);
}

static void on_create_instag(void *data, const char *account, const char *protocol)
{
    FILE *nowhere = must(tmpfile());
    (void)data;
    otrl_instag_generate_FILEp(us, nowhere, account, protocol);
    fclose(nowhere);
}

static int on_is_logged_in(void *data, const char *account, const char *protocol, const char *recipient)
{
    (void)data; (void)account; (void)protocol; (void)recipient;
    return 1;
}

static void on_inject(void *data, const char *account, const char *protocol, const char *recipient, const char *message)
{
    (void)data; (void)account; (void)protocol; (void)recipient;
    if (*message) report_wire(message); /* libotr "sends" an empty text when the session is finished */
}

static void on_new_fingerprint(void *data, OtrlUserState state, const char *account, const char *protocol,
    const char *user, unsigned char fingerprint[20])
{
    (void)data; (void)state; (void)account; (void)protocol; (void)user;
    report_fingerprint("peer", fingerprint, 1);
}

static void on_gone_secure(void *data, ConnContext *context)
{
    (void)data;
    smp_asked = 0;
    report_state(context, "gone-secure");
}

static void on_still_secure(void *data, ConnContext *context, int is_reply)
{
    (void)data; (void)is_reply;
    smp_asked = 0;
    report_state(context, "still-secure");
}

static int on_max_message_size(void *data, ConnContext *context)
{
    (void)data; (void)context;
    return largest_message;
}

static void on_received_symkey(void *data, ConnContext *context, unsigned int use, const unsigned char *use_data,
    size_t length, const unsigned char *key)
{
    (void)data; (void)context;
    put_event("extra-key");
    put_string("dir", "received");
    put_number("use", use);
    put_hex("data", use_data, length);
    put_hex("key", key, OTRL_EXTRAKEY_BYTES);
    put_end();
}

/* libotr calls this only for decrypted texts, so it is used to mark them; no text is converted. */
static void on_convert(void *data, ConnContext *context, OtrlConvertType type, char **converted, const char *text)
{
    (void)data; (void)context; (void)text;
    *converted = NULL;
    if (type == OTRL_CONVERT_RECEIVING) decrypted = 1;
}

static const char *on_error_message(void *data, ConnContext *context, OtrlErrorCode code)
{
    (void)data; (void)context;
    switch (code) {
    case OTRL_ERRCODE_ENCRYPTION_ERROR: return "Error occurred encrypting message.";
    case OTRL_ERRCODE_MSG_NOT_IN_PRIVATE: return "You sent encrypted data, which wasn't expected.";
    case OTRL_ERRCODE_MSG_UNREADABLE: return "You transmitted an unreadable encrypted message.";
    case OTRL_ERRCODE_MSG_MALFORMED: return "You transmitted a malformed data message.";
    default: return "Unknown error.";
    }
}

static struct s_OtrlMessageAppOps ops;

static void on_smp_event(void *data, OtrlSMPEvent event, ConnContext *context, unsigned short progress, char *question)
{
    static const char *const names[] = {
        "none", "error", "abort", "cheated", "ask-answer", "ask-secret", "in-progress", "success", "failure"
    };
    (void)data;
    put_event("smp");
    put_string("what", names[event]);
    put_number("progress", progress);
    if (question) put_string("question", question);
    put_end();
    smp_asked = event == OTRL_SMPEVENT_ASK_FOR_ANSWER || event == OTRL_SMPEVENT_ASK_FOR_SECRET;
    /* libotr does not abort by itself; the application must do it. */
    if (event == OTRL_SMPEVENT_ERROR || event == OTRL_SMPEVENT_CHEATED) otrl_message_abort_smp(us, &ops, NULL, context);
}

static void on_message_event(void *data, OtrlMessageEvent event, ConnContext *context, const char *message, gcry_error_t error)
{
    static const char *const names[] = {
        "NONE", "ENCRYPTION_REQUIRED", "ENCRYPTION_ERROR", "CONNECTION_ENDED", "SETUP_ERROR", "MSG_REFLECTED",
        "MSG_RESENT", "RCVDMSG_NOT_IN_PRIVATE", "RCVDMSG_UNREADABLE", "RCVDMSG_MALFORMED", "LOG_HEARTBEAT_RCVD",
        "LOG_HEARTBEAT_SENT", "RCVDMSG_GENERAL_ERR", "RCVDMSG_UNENCRYPTED", "RCVDMSG_UNRECOGNIZED",
        "RCVDMSG_FOR_OTHER_INSTANCE"
    };
    int note = event == OTRL_MSGEVENT_MSG_RESENT || event == OTRL_MSGEVENT_LOG_HEARTBEAT_RCVD
        || event == OTRL_MSGEVENT_LOG_HEARTBEAT_SENT;
    const char *text = "";

    (void)data; (void)context;
    if (event == OTRL_MSGEVENT_RCVDMSG_UNENCRYPTED && message) report_plain(message, 0);
    else if (message) text = message;
    else if (error) text = gcry_strerror(error);
    put_problem(note ? "note" : "error", names[event], text);
}

static struct s_OtrlMessageAppOps ops = {
    .policy = on_policy,
    .create_privkey = on_create_privkey,
    .is_logged_in = on_is_logged_in,
    .inject_message = on_inject,
    .new_fingerprint = on_new_fingerprint,
    .gone_secure = on_gone_secure,
    .still_secure = on_still_secure,
    .max_message_size = on_max_message_size,
    .received_symkey = on_received_symkey,
    .otr_error_message = on_error_message,
    .handle_smp_event = on_smp_event,
    .handle_msg_event = on_message_event,
    .create_instag = on_create_instag,
    .convert_msg = on_convert,
};

/* ---- commands; each returns 1 on success, 0 on failure ---- */

static int fail(const char *command, const char *text)
{
    put_problem("error", command, text);
    return 0;
}

static int do_start(char *rest)
{
    char *query = NULL;
    (void)rest;
    if (!(policy & OTRL_POLICY_VERSION_MASK)) return fail("start", "The policy allows no version.");
    otrl_message_sending(us, &ops, NULL, me, PROTOCOL, them, OTRL_INSTAG_MASTER, "?OTR?", NULL, &query,
        OTRL_FRAGMENT_SEND_SKIP, NULL, NULL, NULL);
    if (!query) return fail("start", "libotr created no query.");
    report_wire(query);
    otrl_message_free(query);
    return 1;
}

static int do_recv(char *rest)
{
    Bytes message = base64_decode(rest);
    char *text = NULL;
    OtrlTLV *tlvs = NULL;
    ConnContext *context = NULL;
    int internal;

    if (!message.data) return fail("recv", "Not base64.");
    decrypted = 0;
    internal = otrl_message_receiving(us, &ops, NULL, me, PROTOCOL, them, (const char *)message.data, &text, &tlvs,
        &context, NULL, NULL);
    if (otrl_tlv_find(tlvs, OTRL_TLV_DISCONNECTED) && context) {
        smp_asked = 0;
        report_state(context, "peer-ended");
    }
    if (!internal) report_plain(text ? text : (char *)message.data, decrypted);
    otrl_tlv_free(tlvs);
    otrl_message_free(text);
    free(message.data);
    return 1;
}

static int do_send(char *rest)
{
    Bytes text = base64_decode(rest);
    char *message = NULL;
    gcry_error_t error;

    if (!text.data) return fail("send", "Not base64.");
    if (strlen((char *)text.data) != text.length) {
        free(text.data);
        return fail("send", "A text must not contain NUL.");
    }
    error = otrl_message_sending(us, &ops, NULL, me, PROTOCOL, them, OTRL_INSTAG_BEST, (char *)text.data, NULL, &message,
        OTRL_FRAGMENT_SEND_ALL, NULL, NULL, NULL);
    if (!error && !message) report_wire((char *)text.data);
    otrl_message_free(message);
    free(text.data);
    if (error) return fail("send", gcry_strerror(error));
    return best()->msgstate != OTRL_MSGSTATE_FINISHED;
}

static int do_smp_start(char *rest)
{
    char *word = next_word(&rest);
    Bytes secret, question;
    ConnContext *context = best();

    if (!*word) return fail("smp-start", "A secret is missing.");
    if (context->msgstate != OTRL_MSGSTATE_ENCRYPTED) return fail("smp-start", "There is no private conversation.");
    secret = word_or_base64(word);
    question = word_or_base64(rest);
    if (!secret.data || !question.data) {
        free(secret.data);
        free(question.data);
        return fail("smp-start", "Not base64.");
    }
    smp_asked = 0;
    if (*rest) otrl_message_initiate_smp_q(us, &ops, NULL, context, (char *)question.data, secret.data, secret.length);
    else otrl_message_initiate_smp(us, &ops, NULL, context, secret.data, secret.length);
    free(secret.data);
    free(question.data);
    return 1;
}

static int do_smp_answer(char *rest)
{
    Bytes secret;

    if (!*rest) return fail("smp-answer", "A secret is missing.");
    if (!smp_asked) return fail("smp-answer", "The peer has not asked.");
    secret = word_or_base64(rest);
    if (!secret.data) return fail("smp-answer", "Not base64.");
    smp_asked = 0;
    otrl_message_respond_smp(us, &ops, NULL, best(), secret.data, secret.length);
    free(secret.data);
    return 1;
}

static int do_smp_abort(char *rest)
{
    ConnContext *context = best();
    (void)rest;
    if (context->msgstate != OTRL_MSGSTATE_ENCRYPTED) return fail("smp-abort", "There is no private conversation.");
    smp_asked = 0;
    otrl_message_abort_smp(us, &ops, NULL, context);
    return 1;
}

static int do_end(char *rest)
{
    ConnContext *context = best();
    int changed = context->msgstate != OTRL_MSGSTATE_PLAINTEXT;
    (void)rest;
    smp_asked = 0;
    otrl_message_disconnect_all_instances(us, &ops, NULL, me, PROTOCOL, them);
    if (changed) report_state(context, "ended");
    return 1;
}

static int do_fragment(char *rest)
{
    char *end;
    unsigned long n = strtoul(rest, &end, 10);
    if (!*rest || *end || n > 1000000) return fail("fragment", "Not a number of bytes.");
    if (n != 0 && n <= 40) return fail("fragment", "Too small for a fragment's header.");
    largest_message = (int)n;
    return 1;
}

static int do_policy(char *rest)
{
    static const struct { const char *name; OtrlPolicy value; } flags[] = {
        { "v1", OTRL_POLICY_ALLOW_V1 }, { "v2", OTRL_POLICY_ALLOW_V2 }, { "v3", OTRL_POLICY_ALLOW_V3 }, { "v4", 0 },
        { "require-encryption", OTRL_POLICY_REQUIRE_ENCRYPTION }, { "send-tag", OTRL_POLICY_SEND_WHITESPACE_TAG },
        { "whitespace-start", OTRL_POLICY_WHITESPACE_START_AKE }, { "error-start", OTRL_POLICY_ERROR_START_AKE },
        { "never", OTRL_POLICY_NEVER }, { "manual", OTRL_POLICY_MANUAL },
        { "opportunistic", OTRL_POLICY_OPPORTUNISTIC }, { "always", OTRL_POLICY_ALWAYS },
    };
    OtrlPolicy chosen = 0;
    char *save = NULL, *word;
    size_t i;

    for (word = strtok_r(rest, " ,", &save); word; word = strtok_r(NULL, " ,", &save)) {
        for (i = 0; i < sizeof flags / sizeof *flags && strcmp(flags[i].name, word); i++) { }
        if (i == sizeof flags / sizeof *flags) return fail("policy", "Unknown flag.");
        chosen |= flags[i].value;
    }
    policy = chosen;
    return 1;
}

static int do_genkey(char *rest)
{
    return generate_key(rest) ? 1 : fail("genkey", "The key file cannot be written.");
}

/* Reads the account's key. In a file of another program it is the account's key for any protocol, or the only key of the file. */
static int load_key(char *rest)
{
    gcry_error_t error = otrl_privkey_read(us, rest);
    OtrlPrivKey *key;

    if (error) return fail("loadkey", gcry_strerror(error));
    if (otrl_privkey_find(us, me, PROTOCOL)) return 1;
    for (key = us->privkey_root; key && strcmp(key->accountname, me); key = key->next) { }
    if (!key && us->privkey_root && !us->privkey_root->next) key = us->privkey_root;
    if (!key) return fail("loadkey", "The file has no key for this account.");
    free(key->accountname);
    free(key->protocol);
    key->accountname = must(strdup(me));
    key->protocol = must(strdup(PROTOCOL));
    return 1;
}

static int do_loadkey(char *rest)
{
    int loaded = load_key(rest);
    if (!loaded) load_failed = 1;
    return loaded;
}

static int do_fingerprint(char *rest)
{
    unsigned char hash[20];
    ConnContext *context = best();

    (void)rest;
    if (!otrl_privkey_find(us, me, PROTOCOL) && load_failed) return fail("fingerprint", "There is no key: loadkey failed.");
    if (!otrl_privkey_find(us, me, PROTOCOL)) generate_key(NULL);
    if (otrl_privkey_fingerprint_raw(us, hash, me, PROTOCOL)) report_fingerprint("own", hash, 0);
    if (context->active_fingerprint) report_fingerprint("peer", context->active_fingerprint->fingerprint, 0);
    return 1;
}

static int do_extra_key(char *rest)
{
    char *word = next_word(&rest), *end;
    unsigned long use = strtoul(word, &end, 0);
    unsigned char key[OTRL_EXTRAKEY_BYTES];
    Bytes data;
    gcry_error_t error;

    if (!*word || *end || use > 0xffffffffUL) return fail("extra-key", "Not a use code.");
    data = hex_decode(rest);
    if (!data.data) return fail("extra-key", "Not hexadecimal.");
    error = otrl_message_symkey(us, &ops, NULL, best(), (unsigned int)use, data.data, data.length, key);
    if (!error) {
        put_event("extra-key");
        put_string("dir", "sent");
        put_number("use", use);
        put_hex("data", data.data, data.length);
        put_hex("key", key, sizeof key);
        put_end();
    }
    free(data.data);
    return error ? fail("extra-key", gcry_strerror(error)) : 1;
}

static int do_instag(char *rest)
{
    OtrlInsTag *tag = otrl_instag_find(us, me, PROTOCOL);

    if (*rest) {
        char *end;
        unsigned long wanted = strtoul(rest, &end, 16);
        if (*end || wanted < OTRL_MIN_VALID_INSTAG || wanted > 0xffffffffUL) return fail("instag", "Not an instance tag.");
        if (otrl_context_find(us, them, me, PROTOCOL, OTRL_INSTAG_MASTER, 1, NULL, NULL, NULL)->our_instance)
            return fail("instag", "The instance tag is in use.");
        if (!tag) on_create_instag(NULL, me, PROTOCOL);
        tag = otrl_instag_find(us, me, PROTOCOL);
        tag->instag = (otrl_instag_t)wanted;
    } else if (!tag) {
        on_create_instag(NULL, me, PROTOCOL);
        tag = otrl_instag_find(us, me, PROTOCOL);
    }
    put_event("instag");
    put_instag("own", tag->instag);
    put_end();
    return 1;
}

static int do_state(char *rest)
{
    (void)rest;
    report_state(best(), "asked");
    return 1;
}

static int do_pass(char *rest)
{
    char *end;
    unsigned long seconds = strtoul(rest, &end, 10);
    if (!*rest || *end || seconds > 100000000UL) return fail("pass", "Not a number of seconds.");
    clock_ahead += (long)seconds;
    otrl_message_poll(us, &ops, NULL);
    return 1;
}

static const struct { const char *name; int (*run)(char *rest); } commands[] = {
    { "start", do_start }, { "recv", do_recv }, { "send", do_send }, { "smp-start", do_smp_start },
    { "smp-answer", do_smp_answer }, { "smp-abort", do_smp_abort }, { "end", do_end }, { "fragment", do_fragment },
    { "policy", do_policy }, { "genkey", do_genkey }, { "loadkey", do_loadkey }, { "fingerprint", do_fingerprint },
    { "extra-key", do_extra_key }, { "instag", do_instag }, { "state", do_state }, { "pass", do_pass },
};

int main(int argc, char **argv)
{
    char *line;

    if (argc != 3) {
        fputs("usage: libotr-peer <own account> <peer account>\n", stderr);
        return 64;
    }
    me = argv[1];
    them = argv[2];
    OTRL_INIT;
    us = must(otrl_userstate_create());
    put_event("ready");
    put_string("peer", "libotr");
    put_string("version", otrl_version());
    put_end();
    fflush(stdout);
    while ((line = read_line())) {
        char *rest = line, *name = next_word(&rest);
        size_t i;
        int ok;
        if (!strcmp(name, "quit")) {
            put_done(name, 1);
            break;
        }
        for (i = 0; i < sizeof commands / sizeof *commands && strcmp(commands[i].name, name); i++) { }
        ok = i < sizeof commands / sizeof *commands ? commands[i].run(rest) : fail(name, "Unknown command.");
        report_silent_change();
        put_done(name, ok);
    }
    otrl_userstate_free(us);
    return 0;
}
