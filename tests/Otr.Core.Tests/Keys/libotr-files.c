/* libotr's own hand on its three files, for the tests of ours.
 *
 * libotr-files write DIR   libotr makes keys, fingerprints and instance tags and writes the files; then as "read".
 * libotr-files read DIR    libotr reads the files and prints what it understood, one line each, parted by tabs:
 *                            key ACCOUNT PROTOCOL FINGERPRINT SIGNATURE     (over 32 bytes of 0x5A)
 *                            fingerprint USER ACCOUNT PROTOCOL HEX TRUST
 *                            tag ACCOUNT PROTOCOL HEX
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gcrypt.h>
#include <libotr/context.h>
#include <libotr/instag.h>
#include <libotr/privkey.h>
#include <libotr/proto.h>
#include <libotr/userstate.h>

static char path[4096];

static const char *in(const char *dir, const char *name)
{
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static void must(gcry_error_t error, const char *what)
{
    if (!error) return;
    fprintf(stderr, "%s: %s\n", what, gcry_strerror(error));
    exit(1);
}

static void hex(const unsigned char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) printf("%02x", bytes[i]);
}

static void trust(OtrlUserState us, const char *user, const char *account, const char *protocol, int fill, const char *level)
{
    unsigned char fingerprint[20];
    ConnContext *context = otrl_context_find(us, user, account, protocol, OTRL_INSTAG_MASTER, 1, NULL, NULL, NULL);
    memset(fingerprint, fill, sizeof fingerprint);
    fingerprint[0] = 0;
    otrl_context_set_trust(otrl_context_find_fingerprint(context, fingerprint, 1, NULL), level);
}

static void write_files(const char *dir)
{
    OtrlUserState us = otrl_userstate_create();
    must(otrl_privkey_generate(us, in(dir, "otr.private_key"), "alice", "prpl-irc"), "key");
    must(otrl_privkey_generate(us, in(dir, "otr.private_key"), "al \"ice\" (\\home) \xc3\xa9\x01@example.org/", "prpl-jabber"), "key");
    must(otrl_privkey_generate(us, in(dir, "otr.private_key"), "alice (at home)", "prpl-jabber"), "key");
    must(otrl_privkey_generate(us, in(dir, "otr.private_key"), "12345", "prpl-icq"), "key");

    trust(us, "bob", "alice", "prpl-irc", 0xB0, "verified");
    trust(us, "bob with spaces", "alice", "prpl-irc", 0xB1, "smp");
    trust(us, "carol@example.org", "alice", "prpl-irc", 0xC0, "");
    trust(us, "dave \xc3\xa9", "alice", "prpl-irc", 0xD0, NULL);
    must(otrl_privkey_write_fingerprints(us, in(dir, "otr.fingerprints")), "fingerprints");

    must(otrl_instag_generate(us, in(dir, "otr.instance_tags"), "alice", "prpl-irc"), "tag");
    must(otrl_instag_generate(us, in(dir, "otr.instance_tags"), "alice b", "prpl-jabber"), "tag");
    otrl_userstate_free(us);
}

static void read_files(const char *dir)
{
    OtrlUserState us = otrl_userstate_create();
    unsigned char message[32];
    memset(message, 0x5A, sizeof message);

    must(otrl_privkey_read(us, in(dir, "otr.private_key")), "reading otr.private_key");
    must(otrl_privkey_read_fingerprints(us, in(dir, "otr.fingerprints"), NULL, NULL), "reading otr.fingerprints");
    must(otrl_instag_read(us, in(dir, "otr.instance_tags")), "reading otr.instance_tags");

    for (OtrlPrivKey *key = us->privkey_root; key; key = key->next) {
        unsigned char fingerprint[20], *signature;
        size_t length;
        otrl_privkey_fingerprint_raw(us, fingerprint, key->accountname, key->protocol);
        must(otrl_privkey_sign(&signature, &length, key, message, sizeof message), "signing");
        printf("key\t%s\t%s\t", key->accountname, key->protocol);
        hex(fingerprint, sizeof fingerprint);
        printf("\t");
        hex(signature, length);
        printf("\n");
        free(signature);
    }
    for (ConnContext *context = us->context_root; context; context = context->next) {
        for (Fingerprint *f = context->fingerprint_root.next; f; f = f->next) {
            printf("fingerprint\t%s\t%s\t%s\t", context->username, context->accountname, context->protocol);
            hex(f->fingerprint, 20);
            printf("\t%s\n", f->trust ? f->trust : "");
        }
    }
    for (OtrlInsTag *tag = us->instag_root; tag; tag = tag->next)
        printf("tag\t%s\t%s\t%08x\n", tag->accountname, tag->protocol, tag->instag);
    otrl_userstate_free(us);
}

int main(int argc, char **argv)
{
    if (argc != 3 || (strcmp(argv[1], "write") && strcmp(argv[1], "read"))) {
        fprintf(stderr, "usage: libotr-files write|read DIR\n");
        return 2;
    }
    OTRL_INIT;
    gcry_control(GCRYCTL_ENABLE_QUICK_RANDOM, 0);
    if (!strcmp(argv[1], "write")) write_files(argv[2]);
    read_files(argv[2]);
    return 0;
}
