"""Offers and blobs of docs/files.md, written from that page alone, with the `cryptography` package.

usage: file_blob.py offer ID_HEX NAME TYPE URL < file > offer
       file_blob.py seal EXTRA_KEY_HEX OFFER_HEX FILE_KEY_HEX < file > blob
       file_blob.py open EXTRA_KEY_HEX OFFER_HEX < blob > file
"""
import hashlib
import sys

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PORTION = 65536


def offer(transfer_id, plain, name, media_type, url):
    out = b"\x01" + transfer_id + len(plain).to_bytes(8, "big") + hashlib.sha256(plain).digest()
    for text in (name, media_type, url):
        out += len(text.encode()).to_bytes(4, "big") + text.encode()
    return out


def wrapping(extra_key, the_offer):
    assert the_offer[0] == 1
    transfer_id = the_offer[1:17]
    info = b"OTR file 1 wrap\x00" + hashlib.sha256(the_offer).digest()
    key = HKDF(SHA256(), 32, transfer_id, info).derive(extra_key)
    return AESGCM(key), b"OTRF\x01" + transfer_id, int.from_bytes(the_offer[17:25], "big")


def nonce(number, count):
    return bytes(3) + number.to_bytes(8, "big") + bytes([number == count - 1])


def seal(extra_key, the_offer, file_key, plain):
    wrap, prefix, size = wrapping(extra_key, the_offer)
    assert size == len(plain)
    count = max(1, -(-size // PORTION))
    out = prefix + wrap.encrypt(bytes(12), file_key, prefix)
    for i in range(count):
        out += AESGCM(file_key).encrypt(nonce(i, count), plain[i * PORTION:(i + 1) * PORTION], None)
    return out


def unseal(extra_key, the_offer, blob):
    wrap, prefix, size = wrapping(extra_key, the_offer)
    assert blob[:21] == prefix
    file_key = wrap.decrypt(bytes(12), blob[21:69], prefix)
    count = max(1, -(-size // PORTION))
    body, out = blob[69:], b""
    assert len(body) == size + 16 * count
    for i in range(count):
        out += AESGCM(file_key).decrypt(nonce(i, count), body[i * (PORTION + 16):(i + 1) * (PORTION + 16)], None)
    assert hashlib.sha256(out).digest() == the_offer[25:57]
    return out


if __name__ == "__main__":
    verb, args, data = sys.argv[1], sys.argv[2:], sys.stdin.buffer.read()
    if verb == "offer":
        result = offer(bytes.fromhex(args[0]), data, *args[1:])
    elif verb == "seal":
        result = seal(*(bytes.fromhex(a) for a in args), data)
    else:
        result = unseal(*(bytes.fromhex(a) for a in args), data)
    sys.stdout.buffer.write(result)
