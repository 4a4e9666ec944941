/*
 * Input and output of the line protocol of OTR test peers: commands in, one JSON object per line out.
 * Shared by libotr-peer.c and the benchmark's libotr-bench.c.
 *
 * Licensed under the Apache License, Version 2.0.
 */
#ifndef PEER_LINE_H
#define PEER_LINE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes with a length; a NUL that is not counted follows the data. */
typedef struct {
    unsigned char *data;
    size_t length;
} Bytes;

static inline void *must(void *allocation)
{
    if (!allocation) {
        fputs("out of memory\n", stderr);
        exit(70);
    }
    return allocation;
}

static inline Bytes bytes_new(size_t capacity)
{
    Bytes b = { must(calloc(capacity + 1, 1)), 0 };
    return b;
}

static inline int base64_value(int c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+') return 62;
    if (c == '/') return 63;
    return -1;
}

/* Decodes strict base64 with padding; data is NULL if the text is not valid. The caller frees the data. */
static inline Bytes base64_decode(const char *text)
{
    const Bytes bad = { NULL, 0 };
    size_t length = strlen(text), i;
    Bytes b;

    if (length % 4) return bad;
    b = bytes_new(length / 4 * 3);
    for (i = 0; i < length; i += 4) {
        int last = i + 4 == length;
        int pads = last && text[i + 3] == '=' ? (text[i + 2] == '=' ? 2 : 1) : 0;
        unsigned long group = 0;
        int j;
        for (j = 0; j < 4; j++) {
            int v = j >= 4 - pads ? 0 : base64_value(text[i + j]);
            if (v < 0) {
                free(b.data);
                return bad;
            }
            group = group << 6 | (unsigned long)v;
        }
        for (j = 0; j < 3 - pads; j++) b.data[b.length++] = (unsigned char)(group >> (16 - 8 * j));
    }
    return b;
}

static inline void put_base64(const void *data, size_t length)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p = data;
    size_t i;

    for (i = 0; i < length; i += 3) {
        size_t n = length - i < 3 ? length - i : 3;
        unsigned long group = (unsigned long)p[i] << 16 | (n > 1 ? (unsigned long)p[i + 1] << 8 : 0) | (n > 2 ? p[i + 2] : 0);
        putchar(digits[group >> 18 & 63]);
        putchar(digits[group >> 12 & 63]);
        putchar(n > 1 ? digits[group >> 6 & 63] : '=');
        putchar(n > 2 ? digits[group & 63] : '=');
    }
}

static inline int hex_value(int c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static inline Bytes hex_decode(const char *text)
{
    const Bytes bad = { NULL, 0 };
    size_t length = strlen(text), i;
    Bytes b;

    if (length % 2) return bad;
    b = bytes_new(length / 2);
    for (i = 0; i < length; i += 2) {
        int high = hex_value(text[i]), low = hex_value(text[i + 1]);
        if (high < 0 || low < 0) {
            free(b.data);
            return bad;
        }
        b.data[b.length++] = (unsigned char)(high << 4 | low);
    }
    return b;
}

/* Length of the well-formed UTF-8 sequence at p, 0 if there is none. */
static inline size_t utf8_length(const unsigned char *p, size_t left)
{
    size_t n = p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] <= 0xdf ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : p[0] >= 0xf0 && p[0] <= 0xf4 ? 4 : 0;
    size_t i;

    if (n == 0 || n > left) return 0;
    for (i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80) return 0;
    if (n == 3 && ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f))) return 0;
    if (n == 4 && ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))) return 0;
    return n;
}

/* Writes one member of an object, which begins with put_event. Bytes that are not UTF-8 are replaced by U+FFFD. */
static inline void put_text(const char *name, const void *text, size_t length)
{
    const unsigned char *p = text;
    size_t i = 0;

    printf(",\"%s\":\"", name);
    while (i < length) {
        size_t n = utf8_length(p + i, length - i);
        if (n == 0) {
            fputs("\\ufffd", stdout);
            n = 1;
        } else if (p[i] == '"' || p[i] == '\\') {
            printf("\\%c", p[i]);
        } else if (p[i] < 0x20) {
            printf("\\u%04x", p[i]);
        } else {
            fwrite(p + i, 1, n, stdout);
        }
        i += n;
    }
    putchar('"');
}

static inline void put_event(const char *event) { printf("{\"event\":\"%s\"", event); }
static inline void put_string(const char *name, const char *text) { put_text(name, text, strlen(text)); }
static inline void put_number(const char *name, unsigned long long n) { printf(",\"%s\":%llu", name, n); }
static inline void put_bool(const char *name, int value) { printf(",\"%s\":%s", name, value ? "true" : "false"); }
static inline void put_instag(const char *name, unsigned int tag) { printf(",\"%s\":\"%08x\"", name, tag); }

static inline void put_hex(const char *name, const unsigned char *p, size_t length)
{
    printf(",\"%s\":\"", name);
    while (length--) printf("%02x", *p++);
    putchar('"');
}

static inline void put_data(const char *name, const void *data, size_t length)
{
    printf(",\"%s\":\"", name);
    put_base64(data, length);
    putchar('"');
}

static inline void put_end(void) { puts("}"); }

static inline void put_done(const char *command, int ok)
{
    put_event("done");
    put_string("command", command);
    put_bool("ok", ok);
    put_end();
    fflush(stdout);
}

static inline void put_problem(const char *event, const char *code, const char *text)
{
    put_event(event);
    put_string("code", code);
    put_string("text", text);
    put_end();
}

/* Reads one line without its line feed into a buffer that the next call reuses; NULL at the end of input. */
static inline char *read_line(void)
{
    static char *line;
    static size_t capacity;
    ssize_t length = getline(&line, &capacity, stdin);

    if (length < 0) return NULL;
    while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == '\r')) line[--length] = '\0';
    return line;
}

/* Removes the first word and one space from *rest, and returns the word. */
static inline char *next_word(char **rest)
{
    char *word = *rest, *blank = strchr(word, ' ');

    if (blank) {
        *blank = '\0';
        *rest = blank + 1;
    } else {
        *rest = word + strlen(word);
    }
    return word;
}

/* Decodes a secret or a question: the text itself, or "b64:" and base64. data is NULL if the base64 is not valid. */
static inline Bytes word_or_base64(const char *text)
{
    Bytes b;

    if (!strncmp(text, "b64:", 4)) return base64_decode(text + 4);
    b = bytes_new(strlen(text));
    b.length = strlen(text);
    memcpy(b.data, text, b.length);
    return b;
}

#endif
