#!/usr/bin/python3
"""Recomputes a transcript of two endpoints of version 3 from the random bytes that each of them drew.

Reads JSON on stdin: {"parties": [{"random": hex, "fingerprint": hex}, …], "wire": [{"from": 0 or 1, "data": base64}, …]}.
Nothing but the specification, hashlib, hmac, pow and a block cipher is used; in particular no code of Otr.Core, and the
private exponents are found in the random bytes by what was published. Prints JSON: {"ssid": hex, "texts": [[from, text], …],
"signatures": 2}. Any disagreement ends it with a message. Licensed under the Apache License, Version 2.0.
"""
import base64
import hashlib
import hmac
import json
import sys

from Cryptodome.Cipher import AES

P = int('FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B'
        '302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE6'
        '49286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D'
        '670C354E4ABC9804F1746C08CA237327FFFFFFFFFFFFFFFF', 16)
COMMIT, KEY, REVEAL, SIGNATURE, DATA = 0x02, 0x0a, 0x11, 0x12, 0x03


def check(condition, what):
    if not condition:
        sys.exit('The transcript does not hold: ' + what)


def mpi(n):
    raw = n.to_bytes((n.bit_length() + 7) // 8, 'big')
    return len(raw).to_bytes(4, 'big') + raw


def aes_ctr(key, top, data):
    return AES.new(key, AES.MODE_CTR, nonce=top, initial_value=0).encrypt(data)


def sha256(data):
    return hashlib.sha256(data).digest()


def sha1(data):
    return hashlib.sha1(data).digest()


class Reader:
    def __init__(self, raw):
        self.raw, self.at = raw, 0

    def take(self, n):
        check(self.at + n <= len(self.raw), 'a field is cut off')
        self.at += n
        return self.raw[self.at - n:self.at]

    def int(self):
        return int.from_bytes(self.take(4), 'big')

    def data(self):
        return self.take(self.int())

    def number(self):
        raw = self.data()
        check(raw[:1] != b'\0', 'an MPI is not minimal')
        return int.from_bytes(raw, 'big')

    def end(self):
        check(self.at == len(self.raw), 'bytes are left over')


class Party:
    def __init__(self, description):
        self.random = bytes.fromhex(description['random'])
        self.fingerprint = description['fingerprint']
        self.powers = {}  # public value -> private exponent
        self.scanned = 0

    def private(self, public):
        """The 40 random bytes x with g^x = public."""
        while public not in self.powers and self.scanned + 40 <= len(self.random):
            x = int.from_bytes(self.random[self.scanned:self.scanned + 40], 'big')
            self.powers[pow(2, x, P)] = x
            self.scanned += 1
        check(public in self.powers, 'a public value belongs to no random exponent')
        return self.powers[public]


def open_signature(key, mac_key, m1_key, encrypted, mac, own, other, fingerprint):
    """Checks X of one party; own and other as its author ordered them. Returns its key id."""
    framed = len(encrypted).to_bytes(4, 'big') + encrypted
    check(hmac.new(mac_key, framed, 'sha256').digest()[:20] == mac, 'the MAC of a signature')
    x = aes_ctr(key, bytes(8), encrypted)
    r = Reader(x)
    check(r.take(2) == b'\0\0', 'the type of a public key')
    p, q, g, y = (r.number() for _ in range(4))
    public = x[:r.at]
    check(sha1(public[2:]).hex() == fingerprint, 'a fingerprint')
    keyid = r.int()
    sr, ss = int.from_bytes(r.take(20), 'big'), int.from_bytes(r.take(20), 'big')
    r.end()
    m = hmac.new(m1_key, mpi(own) + mpi(other) + public + keyid.to_bytes(4, 'big'), 'sha256').digest()
    check(0 < sr < q and 0 < ss < q, 'the range of a signature')
    w = pow(ss, -1, q)
    check(pow(g, int.from_bytes(m, 'big') * w % q, p) * pow(y, sr * w % q, p) % p % q == sr, 'a signature')
    return keyid


def main():
    transcript = json.load(sys.stdin)
    parties = [Party(p) for p in transcript['parties']]
    published = [{}, {}]  # key id -> public value
    texts, signatures, ssid = [], 0, None
    commit = initiator = gx = gy = s = None
    for line in transcript['wire']:
        text, author = base64.b64decode(line['data']), line['from']
        if not text.startswith(b'?OTR:'):
            continue
        raw = base64.b64decode(text[5:-1], validate=True)
        r = Reader(raw)
        check(r.take(2) == b'\0\3', 'the version')
        kind = r.take(1)[0]
        r.take(8)
        if kind == COMMIT:
            commit, initiator = (r.data(), r.data()), author
        elif kind == KEY:
            gy = r.number()
            parties[author].private(gy)
        elif kind == REVEAL:
            check(author == initiator, 'who reveals')
            raw_gx = aes_ctr(r.data(), bytes(8), commit[0])
            check(sha256(raw_gx) == commit[1], 'the hash of g^x')
            gx = int.from_bytes(raw_gx[4:], 'big')
            check(mpi(gx) == raw_gx, 'the encoding of g^x')
            s = pow(gy, parties[author].private(gx), P)
            check(s == pow(gx, parties[1 - author].private(gy), P), 'the shared secret')
            h2 = [sha256(bytes([b]) + mpi(s)) for b in range(6)]
            ssid = h2[0][:8].hex()
            keyid = open_signature(h2[1][:16], h2[3], h2[2], r.data(), r.take(20), gx, gy, parties[author].fingerprint)
            published[author][keyid] = gx
            signatures += 1
        elif kind == SIGNATURE:
            keyid = open_signature(h2[1][16:], h2[5], h2[4], r.data(), r.take(20), gy, gx, parties[author].fingerprint)
            published[author][keyid] = gy
            signatures += 1
        elif kind == DATA:
            r.take(1)
            sender, recipient = r.int(), r.int()
            ours, theirs = published[author][sender], published[1 - author][recipient]
            published[author][sender + 1] = r.number()
            counter, encrypted = r.take(8), r.data()
            covered = raw[:r.at]
            secret = mpi(pow(theirs, parties[author].private(ours), P))
            aes = sha1((b'\1' if ours > theirs else b'\2') + secret)[:16]
            check(hmac.new(sha1(aes), covered, 'sha1').digest() == r.take(20), 'the MAC of a data message')
            plain = aes_ctr(aes, counter, encrypted).partition(b'\0')[0]
            if plain:
                texts.append([author, plain.decode()])
            check(len(r.data()) % 20 == 0, 'the length of the revealed keys')
        r.end()
    print(json.dumps({'ssid': ssid, 'texts': texts, 'signatures': signatures}))


if __name__ == '__main__':
    main()
