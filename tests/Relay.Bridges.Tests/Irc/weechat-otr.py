"""WeeChat's script otr.py of Debian 12, which by itself can neither make a key nor verify anybody.

potr was written for PyCrypto, and Debian's package runs on pycryptodome, which lacks what potr calls. This file lends it AES in
counter mode and the DSA of OTR (SHA-256 of M, taken mod q). The script hands potr the secrets of SMP as str, which it takes as bytes
only. The script itself runs unchanged.
"""
import secrets

import potr
from Cryptodome.Cipher import AES
from Cryptodome.PublicKey import DSA
from potr.compatcrypto import common, pycrypto

SCRIPT = '/usr/share/weechat/python/otr.py'


def aes_ctr(key, counter=0):
    prefix = counter if isinstance(counter, int) else counter.prefix
    return AES.new(key, AES.MODE_CTR, nonce=prefix.to_bytes(8, 'big'), initial_value=0)


@common.registerkeytype
class Key(pycrypto.DSAKey):
    @classmethod
    def generate(cls):
        k = DSA.generate(1024)
        return cls(tuple(int(n) for n in (k.y, k.g, k.p, k.q, k.x)), private=True)

    def sign(self, data):
        p, q, g, _, x = (int(n) for n in self.getPrivatePayload())
        k = 1 + secrets.randbelow(q - 1)
        r = pow(g, k, p) % q
        s = pow(k, -1, q) * (int.from_bytes(data, 'big') + x * r) % q
        return r.to_bytes(20, 'big') + s.to_bytes(20, 'big')

    def verify(self, data, sig):
        p, q, g, y = (int(n) for n in self.getPublicPayload())
        m, r, s = int.from_bytes(data, 'big'), int.from_bytes(sig[:20], 'big'), int.from_bytes(sig[20:], 'big')
        if len(sig) != 40 or not 0 < r < q or not 0 < s < q:
            return False
        w = pow(s, -1, q)
        return pow(g, m * w % q, p) * pow(y, r * w % q, p) % p % q == r


def encoded(text):
    return text.encode() if isinstance(text, str) else text


smp_init, smp_got_secret = potr.context.Context.smpInit, potr.context.Context.smpGotSecret
potr.context.Context.smpInit = lambda self, secret, question=None, appdata=None: \
    smp_init(self, encoded(secret), question=encoded(question), appdata=appdata)
potr.context.Context.smpGotSecret = lambda self, secret, appdata=None: smp_got_secret(self, encoded(secret), appdata=appdata)
potr.crypt.AESCTR = aes_ctr
with open(SCRIPT, encoding='utf-8') as script:
    exec(compile(script.read(), SCRIPT, 'exec'))
