#!/usr/bin/python3
"""Checks a recorded OTR conversation without the implementation that made it.

Reads lines "name: hex" from standard input: the wire texts in order, and the secrets that the seeds gave to each side
(D-H exponents, the Commit's r, the DSA public keys). Recomputes the key exchange and every data message from the
specification's formulas and checks each byte that is determined by them: hashes, MACs, signatures, ciphertexts, key ids,
counters, and which MAC keys are revealed. Prints "ok" and what was checked, or fails.
"""
import base64
import hashlib
import hmac
import sys

from Cryptodome.Cipher import AES
from Cryptodome.Util import Counter


def arctan(x, one):
    term, total, n = one // x, 0, 1
    while term:
        total += term // n if n % 4 == 1 else -(term // n)
        term //= x * x
        n += 2
    return total


ONE = 1 << 1600
PI = 4 * (4 * arctan(5, ONE) - arctan(239, ONE))
P = 2**1536 - 2**1472 - 1 + 2**64 * ((PI >> (1600 - 1406)) + 741804)


def mpi(n):
    raw = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return len(raw).to_bytes(4, "big") + raw


def data(raw):
    return len(raw).to_bytes(4, "big") + raw


def h1(b, s):
    return hashlib.sha1(bytes([b]) + mpi(s)).digest()


def h2(b, s):
    return hashlib.sha256(bytes([b]) + mpi(s)).digest()


def ctr(key, top, raw):
    counter = Counter.new(64, prefix=top.to_bytes(8, "big"), initial_value=0)
    return AES.new(key, AES.MODE_CTR, counter=counter).decrypt(raw)


class Reader:
    def __init__(self, raw):
        self.raw, self.at = raw, 0

    def take(self, n):
        assert self.at + n <= len(self.raw), "truncated"
        self.at += n
        return self.raw[self.at - n:self.at]

    def number(self, n):
        return int.from_bytes(self.take(n), "big")

    def data(self):
        return self.take(self.number(4))

    def mpi(self):
        raw = self.data()
        assert not raw or raw[0], "leading zero"
        return int.from_bytes(raw, "big")

    def end(self):
        assert self.at == len(self.raw), "trailing bytes"


def decode(wire, kind):
    assert wire.startswith(b"?OTR:") and wire.endswith(b"."), wire
    raw = base64.b64decode(wire[5:-1], validate=True)
    r = Reader(raw)
    assert r.number(2) == 3 and r.number(1) == kind, raw[:3]
    return raw, r, r.number(4), r.number(4)


def verify_dsa(pub, m, sig):
    p, q, g, y = pub
    r, s = int.from_bytes(sig[:20], "big"), int.from_bytes(sig[20:], "big")
    assert 0 < r < q and 0 < s < q
    w = pow(s, -1, q)
    m = int.from_bytes(m, "big") % q
    assert pow(g, m * w % q, p) * pow(y, r * w % q, p) % p % q == r, "signature"


def read_x(cipher, mac, c, m1, m2, own, other, expected):
    assert hmac.new(m2, data(cipher), hashlib.sha256).digest()[:20] == mac, "MAC of X"
    x = Reader(ctr(c, 0, cipher))
    assert x.number(2) == 0
    pub = (x.mpi(), x.mpi(), x.mpi(), x.mpi())
    assert pub == expected, "public key"
    encoded = x.raw[:x.at]
    keyid = x.number(4)
    assert keyid == 1
    sig = x.take(40)
    x.end()
    verify_dsa(pub, hmac.new(m1, mpi(own) + mpi(other) + encoded + keyid.to_bytes(4, "big"), hashlib.sha256).digest(), sig)


def main():
    lines = [line.split(": ") for line in sys.stdin.read().split("\n") if line]
    secrets = {k: bytes.fromhex(v) for k, v in lines if not k.startswith("wire ")}
    wires = [(k[5:], bytes.fromhex(v)) for k, v in lines if k.startswith("wire ")]
    number = lambda k: int.from_bytes(secrets[k], "big")
    tags = {who: number(f"{who} tag") for who in "ab"}
    pubs = {who: tuple(number(f"{who} dsa {n}") for n in "pqgy") for who in "ab"}
    exponents = {who: [int.from_bytes(secrets[f"{who} dh"][i:i + 40], "big") for i in range(0, len(secrets[f"{who} dh"]), 40)] for who in "ab"}
    x, y = exponents["b"][0], exponents["a"][0]
    gx, gy, s = pow(2, x, P), pow(2, y, P), pow(2, x * y, P)

    (_, query), (_, commit), (_, key), (_, reveal), (_, signature) = wires[:5]
    assert query.startswith(b"?OTRv3?")

    _, r, sender, receiver = decode(commit, 0x02)
    assert (sender, receiver) == (tags["b"], 0)
    assert r.data() == ctr(secrets["b r"], 0, mpi(gx)), "encrypted g^x"
    assert r.data() == hashlib.sha256(mpi(gx)).digest(), "hashed g^x"
    r.end()

    _, r, sender, receiver = decode(key, 0x0A)
    assert (sender, receiver) == (tags["a"], tags["b"]) and r.mpi() == gy
    r.end()

    _, r, sender, receiver = decode(reveal, 0x11)
    assert (sender, receiver) == (tags["b"], tags["a"]) and r.data() == secrets["b r"]
    read_x(r.data(), r.take(20), h2(1, s)[:16], h2(2, s), h2(3, s), gx, gy, pubs["b"])
    r.end()

    _, r, sender, receiver = decode(signature, 0x12)
    assert (sender, receiver) == (tags["a"], tags["b"])
    read_x(r.data(), r.take(20), h2(1, s)[16:], h2(4, s), h2(5, s), gy, gx, pubs["a"])
    r.end()
    assert secrets["ssid"] == h2(0, s)[:8], "ssid"

    # The data phase, by the rules of "Key management": what each side has sent, heard, and may reveal.
    class Side:
        def __init__(self, who):
            self.who, self.ours, self.theirs = who, 2, 1  # our_keyid, their_keyid
            self.counters, self.used, self.reveal = {}, [], []

    sides = {who: Side(who) for who in "ab"}
    key_of = lambda who, keyid: exponents[who][keyid - 1]

    def aes(sender, sender_id, recipient, recipient_id):
        mine, peer = key_of(sender, sender_id), key_of(recipient, recipient_id)
        high = pow(2, mine, P) > pow(2, peer, P)
        return h1(1 if high else 2, pow(2, mine * peer, P))[:16]

    texts = 0
    for name, wire in wires[5:]:
        who, text = name.split(" ", 1)
        lost, text = text.startswith("lost "), text.removeprefix("lost ")
        me, you = sides[who], sides["b" if who == "a" else "a"]
        raw, r, sender, receiver = decode(wire, 0x03)
        assert (sender, receiver) == (tags[who], tags[you.who])
        flags, sender_id, recipient_id = r.number(1), r.number(4), r.number(4)
        assert (sender_id, recipient_id) == (me.ours - 1, me.theirs), "key ids"
        assert r.mpi() == pow(2, key_of(who, me.ours), P), "next key"
        counter = r.number(8)
        pair = (sender_id, recipient_id)
        assert counter == me.counters.get(pair, 0) + 1, "counter"
        me.counters[pair] = counter
        k = aes(who, sender_id, you.who, recipient_id)
        plain = ctr(k, counter, r.data())
        covered = raw[:r.at]
        mac_key = hashlib.sha1(k).digest()
        assert r.take(20) == hmac.new(mac_key, covered, hashlib.sha1).digest(), "MAC"
        revealed = r.data()
        r.end()
        assert sorted(revealed[i:i + 20] for i in range(0, len(revealed), 20)) == sorted(me.reveal), "revealed MAC keys"
        me.reveal = []
        if text == "end":
            assert plain == b"\0" + b"\0\1\0\0" and flags == 1, "disconnect"
        elif text == "extra":
            assert plain[:5] == b"\0\0\x08\0\x06" and flags == 1, "extra key"
            assert secrets["extra key"] == h2(255, pow(2, key_of(who, sender_id) * key_of(you.who, recipient_id), P))
        else:
            assert plain == bytes.fromhex(text) + b"\0" and flags == 0, "text"
            texts += 1
        if lost:
            continue
        # The receiver: remember the pair as used, rotate ours, then theirs, revealing what falls away.
        you.used.append((recipient_id, sender_id, mac_key))
        forget = lambda gone: ([u for u in you.used if not gone(u)], [u[2] for u in you.used if gone(u)])
        if recipient_id == you.ours:
            you.used, out = forget(lambda u: u[0] == you.ours - 1)
            you.reveal += [m for m in out if m not in you.reveal]
            you.ours += 1
        if sender_id == you.theirs:
            you.used, out = forget(lambda u: u[1] == you.theirs - 1)
            you.reveal += [m for m in out if m not in you.reveal]
            you.theirs += 1
        you.used = [u for i, u in enumerate(you.used) if u not in you.used[:i]]
    print(f"ok: key exchange, {len(wires) - 5} data messages, {texts} texts")


main()
