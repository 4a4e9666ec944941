/*
 * Two libotr endpoints in one process. CPU time is measured on request, so that the rounds of a benchmark can alternate
 * between libotr and another implementation. One command per line: <what> <count> [bytes]; the response is
 * {"event":"result","what":…,"count":…,"us":…} (the sum of all repetitions; bytes for "memory") and a "done" event.
 *
 * Build: cc -O2 -Wall -Wextra -I../OtrPeer libotr-bench.c -o libotr-bench $(pkg-config --cflags --libs libotr) -lgcrypt
 * Licensed under the Apache License, Version 2.0.
 */
#define _GNU_SOURCE
#include "peer-line.h"

#include <gcrypt.h>
#include <malloc.h>
#include <time.h>
#include <libotr/proto.h>
#include <libotr/tlv.h>
#include <libotr/instag.h>
#include <libotr/message.h>
#include <libotr/privkey.h>

#define PROTOCOL "bench"
#define MOST_UNDER_WAY 16

static const char secret[] = "a secret of two";

typedef struct side {
    OtrlUserState us;
    const char *name;
    struct side *other;
    char *inbox[MOST_UNDER_WAY];
    int waiting;
    int asked, finished_smp;
    unsigned long received;
} Side;

static Side alice, bob;

/* A suffix of the peers' names, which gives each conversation of the memory measurement its own pair of contexts. */
static char conversation[32] = "";

static void check(int condition, const char *what)
{
    if (condition) return;
    fprintf(stderr, "libotr-bench: %s\n", what);
    exit(70);
}

static const char *peer_name(const Side *side)
{
    static char name[64];
    snprintf(name, sizeof name, "%s%s", side->other->name, conversation);
    return name;
}

static OtrlPolicy on_policy(void *data, ConnContext *context)
{
    (void)data; (void)context;
    return OTRL_POLICY_ALLOW_V3;
}

static int on_is_logged_in(void *data, const char *account, const char *protocol, const char *recipient)
{
    (void)data; (void)account; (void)protocol; (void)recipient;
    return 1;
}

static void on_inject(void *data, const char *account, const char *protocol, const char *recipient, const char *message)
{
    Side *to = ((Side *)data)->other;
    (void)account; (void)protocol; (void)recipient;
    check(to->waiting < MOST_UNDER_WAY, "too many messages in flight");
    to->inbox[to->waiting++] = must(strdup(message));
}

static void on_smp_event(void *data, OtrlSMPEvent event, ConnContext *context, unsigned short progress, char *question)
{
    Side *side = data;
    (void)context; (void)progress; (void)question;
    if (event == OTRL_SMPEVENT_ASK_FOR_SECRET) side->asked = 1;
    if (event == OTRL_SMPEVENT_SUCCESS) side->finished_smp = 1;
}

static void on_message_event(void *data, OtrlMessageEvent event, ConnContext *context, const char *message, gcry_error_t error)
{
    (void)data; (void)context; (void)message;
    check(event == OTRL_MSGEVENT_LOG_HEARTBEAT_RCVD || event == OTRL_MSGEVENT_LOG_HEARTBEAT_SENT,
        error ? gcry_strerror(error) : "an unexpected event");
}

static const OtrlMessageAppOps ops = {
    .policy = on_policy,
    .is_logged_in = on_is_logged_in,
    .inject_message = on_inject,
    .handle_smp_event = on_smp_event,
    .handle_msg_event = on_message_event,
};

static ConnContext *context_of(Side *side)
{
    return otrl_context_find(side->us, peer_name(side), side->name, PROTOCOL, OTRL_INSTAG_BEST, 1, NULL, NULL, NULL);
}

static void receive(Side *side, const char *message)
{
    char *text = NULL;
    OtrlTLV *tlvs = NULL;
    if (!otrl_message_receiving(side->us, &ops, side, side->name, PROTOCOL, peer_name(side), message, &text, &tlvs, NULL, NULL, NULL))
        side->received++;
    otrl_tlv_free(tlvs);
    otrl_message_free(text);
}

static void settle(void)
{
    while (alice.waiting || bob.waiting) {
        Side *to = alice.waiting ? &alice : &bob;
        char *message = to->inbox[0];
        memmove(to->inbox, to->inbox + 1, (size_t)--to->waiting * sizeof *to->inbox);
        receive(to, message);
        free(message);
    }
}

static void make_private(void)
{
    receive(&bob, "?OTRv3?");
    settle();
    check(context_of(&alice)->msgstate == OTRL_MSGSTATE_ENCRYPTED && context_of(&bob)->msgstate == OTRL_MSGSTATE_ENCRYPTED,
        "the key exchange failed");
}

static void forget(void)
{
    otrl_context_forget_all(alice.us);
    otrl_context_forget_all(bob.us);
}

static void say(Side *from, const char *text)
{
    char *message = NULL;
    unsigned long before = from->other->received;
    check(!otrl_message_sending(from->us, &ops, from, from->name, PROTOCOL, peer_name(from), OTRL_INSTAG_BEST, text, NULL,
        &message, OTRL_FRAGMENT_SEND_SKIP, NULL, NULL, NULL) && message, "a text was not encrypted");
    receive(from->other, message);
    otrl_message_free(message);
    settle();
    check(from->other->received == before + 1, "a text was lost");
}

static void run_smp(void)
{
    bob.asked = alice.finished_smp = bob.finished_smp = 0;
    otrl_message_initiate_smp(alice.us, &ops, &alice, context_of(&alice), (const unsigned char *)secret, sizeof secret);
    settle();
    check(bob.asked, "the secret was not requested");
    otrl_message_respond_smp(bob.us, &ops, &bob, context_of(&bob), (const unsigned char *)secret, sizeof secret);
    settle();
    check(alice.finished_smp && bob.finished_smp, "SMP failed");
}

/* ---- cryptographic kernels of libgcrypt ---- */

static const char modulus[] =
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B"
    "302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE6"
    "49286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D"
    "670C354E4ABC9804F1746C08CA237327FFFFFFFFFFFFFFFF";

static gcry_mpi_t p, g, y, x320, x1536, power;
static unsigned char *signature;
static size_t signature_length;
static unsigned char digest[32];

static void prepare_kernels(void)
{
    unsigned char random[192];

    check(!gcry_mpi_scan(&p, GCRYMPI_FMT_HEX, (const unsigned char *)modulus, 0, NULL), "the modulus");
    g = gcry_mpi_set_ui(NULL, 2);
    y = gcry_mpi_new(1536);
    power = gcry_mpi_new(1536);
    gcry_randomize(random, sizeof random, GCRY_STRONG_RANDOM);
    random[0] |= 0x80;
    check(!gcry_mpi_scan(&x320, GCRYMPI_FMT_USG, random, 40, NULL), "an exponent");
    check(!gcry_mpi_scan(&x1536, GCRYMPI_FMT_USG, random, 192, NULL), "an exponent");
    gcry_mpi_powm(y, g, x1536, p);
    gcry_randomize(digest, sizeof digest, GCRY_STRONG_RANDOM);
}

static void sign(void)
{
    free(signature);
    check(!otrl_privkey_sign(&signature, &signature_length, otrl_privkey_find(alice.us, alice.name, PROTOCOL), digest, sizeof digest), "signing");
}

static void verify(void)
{
    OtrlPrivKey *key = otrl_privkey_find(alice.us, alice.name, PROTOCOL);
    gcry_sexp_t public_key;
    const unsigned char *at = key->pubkey_data;
    gcry_mpi_t numbers[4];
    static gcry_sexp_t cached;
    int i;

    if (!cached) {
        for (i = 0; i < 4; i++) {
            size_t length = (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
            check(!gcry_mpi_scan(&numbers[i], GCRYMPI_FMT_USG, at + 4, length, NULL), "a key's number");
            at += 4 + length;
        }
        check(!gcry_sexp_build(&public_key, NULL, "(public-key (dsa (p %m)(q %m)(g %m)(y %m)))", numbers[0], numbers[1], numbers[2], numbers[3]), "a key");
        cached = public_key;
    }
    check(!otrl_privkey_verify(signature, signature_length, OTRL_PUBKEY_TYPE_DSA, cached, digest, sizeof digest), "verifying");
}

/* ---- measurement ---- */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void measure_memory(unsigned long count)
{
    size_t before = mallinfo2().uordblks;
    unsigned long i;
    for (i = 0; i < count; i++) {
        snprintf(conversation, sizeof conversation, "-%lu", i);
        make_private();
        say(&alice, "one"); say(&bob, "two"); say(&alice, "three"); say(&bob, "four");
    }
    put_event("result");
    put_string("what", "memory");
    put_number("count", count);
    put_number("bytes", (mallinfo2().uordblks - before) / (2 * count));
    put_end();
    conversation[0] = '\0';
    forget();
}

static int measure(const char *what, unsigned long count, size_t size)
{
    char *text = must(malloc(size + 1));
    unsigned long i;
    double start;
    int known = 1;

    memset(text, 'x', size);
    text[size] = '\0';
    if (strcmp(what, "ake") && context_of(&alice)->msgstate != OTRL_MSGSTATE_ENCRYPTED) make_private();
    if (!strcmp(what, "dsa-verify")) sign();
    start = now();
    if (!strcmp(what, "ake")) for (i = 0; i < count; i++) { forget(); make_private(); }
    else if (!strncmp(what, "one-way", 7)) for (i = 0; i < count; i++) say(&alice, text);
    else if (!strcmp(what, "ping-pong")) for (i = 0; i < count; i++) say(i % 2 ? &bob : &alice, text);
    else if (!strcmp(what, "smp")) for (i = 0; i < count; i++) run_smp();
    else if (!strcmp(what, "modexp-320")) for (i = 0; i < count; i++) gcry_mpi_powm(power, y, x320, p);
    else if (!strcmp(what, "modexp-1536")) for (i = 0; i < count; i++) gcry_mpi_powm(power, y, x1536, p);
    else if (!strcmp(what, "keygen-dh")) for (i = 0; i < count; i++) gcry_mpi_powm(power, g, x320, p);
    else if (!strcmp(what, "dsa-sign")) for (i = 0; i < count; i++) sign();
    else if (!strcmp(what, "dsa-verify")) for (i = 0; i < count; i++) verify();
    else known = 0;
    if (known) {
        double us = now() - start;
        put_event("result");
        put_string("what", what);
        put_number("count", count);
        printf(",\"us\":%.3f", us);
        put_end();
    }
    free(text);
    return known;
}

static void open_side(Side *side, const char *name, Side *other)
{
    FILE *nowhere = must(tmpfile());
    side->name = name;
    side->other = other;
    side->us = must(otrl_userstate_create());
    check(!otrl_privkey_generate_FILEp(side->us, nowhere, name, PROTOCOL), "a key");
    check(!otrl_instag_generate_FILEp(side->us, nowhere, name, PROTOCOL), "an instance tag");
    fclose(nowhere);
}

int main(void)
{
    char *line;

    OTRL_INIT;
    open_side(&alice, "alice", &bob);
    open_side(&bob, "bob", &alice);
    prepare_kernels();
    put_event("ready");
    put_string("peer", "libotr");
    put_string("version", otrl_version());
    put_end();
    fflush(stdout);
    while ((line = read_line())) {
        char *rest = line, *what = next_word(&rest);
        unsigned long count = strtoul(next_word(&rest), NULL, 10), size = strtoul(rest, NULL, 10);
        int ok = count > 0;
        if (ok && !strcmp(what, "memory")) measure_memory(count);
        else if (ok) ok = measure(what, count, size);
        put_done(what, ok);
    }
    return 0;
}
