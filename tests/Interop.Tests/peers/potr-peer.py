#!/usr/bin/python3
"""An OTR test peer around python-potr (version 2): one endpoint, lines on stdin, JSON events on stdout.

Beyond the common line protocol: `pass <seconds>` lets potr's clock jump. Licensed under the Apache License, Version 2.0.
"""
import base64
import importlib.metadata
import json
import logging
import re
import secrets
import sys
import time

import potr
import potr.context
import potr.crypt
from Cryptodome.Cipher import AES
from Cryptodome.PublicKey import DSA
from potr import proto
from potr.compatcrypto import common, pycrypto

PROTOCOL = 'prpl-relay'
STATES = ('PLAINTEXT', 'ENCRYPTED', 'FINISHED')
FLAGS = {
    'v1': 'ALLOW_V1', 'v2': 'ALLOW_V2', 'v3': 'ALLOW_V3', 'v4': 'ALLOW_V4',
    'require-encryption': 'REQUIRE_ENCRYPTION', 'send-tag': 'SEND_TAG',
    'whitespace-start': 'WHITESPACE_START_AKE', 'error-start': 'ERROR_START_AKE',
}
NAMED = {
    'never': [], 'manual': ['v2', 'v3'],
    'opportunistic': ['v2', 'v3', 'send-tag', 'whitespace-start', 'error-start'],
    'always': ['v2', 'v3', 'require-encryption', 'whitespace-start', 'error-start'],
}


# potr was written for PyCrypto; where pycryptodome differs, these two stand in.

def aes_ctr(key, counter=0):
    prefix = counter if isinstance(counter, int) else counter.prefix
    return AES.new(key, AES.MODE_CTR, nonce=prefix.to_bytes(8, 'big'), initial_value=0)


@common.registerkeytype
class Key(pycrypto.DSAKey):
    """DSA as OTR wants it: the 32-byte M taken mod q."""

    @classmethod
    def generate(cls):
        k = DSA.generate(1024)
        return cls(tuple(int(n) for n in (k.y, k.g, k.p, k.q, k.x)), private=True)

    def sign(self, data):
        p, q, g, _, x = (int(n) for n in self.getPrivatePayload())
        m = int.from_bytes(data, 'big')
        k = 1 + secrets.randbelow(q - 1)
        r = pow(g, k, p) % q
        s = pow(k, -1, q) * (m + x * r) % q
        return r.to_bytes(20, 'big') + s.to_bytes(20, 'big')

    def verify(self, data, sig):
        p, q, g, y = (int(n) for n in self.getPublicPayload())
        m, r, s = int.from_bytes(data, 'big'), int.from_bytes(sig[:20], 'big'), int.from_bytes(sig[20:], 'big')
        if len(sig) != 40 or not 0 < r < q or not 0 < s < q:
            return False
        w = pow(s, -1, q)
        return pow(g, m * w % q, p) * pow(y, r * w % q, p) % p % q == r


potr.crypt.AESCTR = aes_ctr


class Refused(Exception):
    """A command that cannot be done; the text says why."""


def emit(event, **fields):
    print(json.dumps({'event': event, **fields}))


def b64(data):
    return base64.b64encode(data).decode()


class Context(potr.context.Context):
    def getPolicy(self, key):
        return key in self.user.flags

    def inject(self, msg, appdata=None):
        data = bytes(msg)
        if data:
            emit('wire', data=b64(data))

    def setState(self, newstate):
        changed = newstate != self.state
        super().setState(newstate)
        if changed and newstate == potr.context.STATE_FINISHED:
            self.report('peer-ended')

    def _wentEncrypted(self):
        cause = 'still-secure' if self.state == potr.context.STATE_ENCRYPTED else 'gone-secure'
        super()._wentEncrypted()
        fingerprint = self.crypto.theirPubkey.fingerprint().hex()
        if fingerprint not in self.user.seen:
            self.user.seen.add(fingerprint)
            emit('fingerprint', who='peer', hex=fingerprint, new=True)
        self.report(cause)

    def report(self, cause):
        fields = {'state': STATES[self.state], 'version': 2 if self.state else 0, 'cause': cause}
        if self.state == potr.context.STATE_ENCRYPTED:
            fields['ssid'] = self.crypto.sessionId.hex()
            fields['ssid_bold'] = 'second' if self.crypto.sessionIdHalf else 'first'
            fields['peer_fingerprint'] = self.crypto.theirPubkey.fingerprint().hex()
        emit('state', **fields)


class Account(potr.context.Account):
    contextclass = Context

    def __init__(self, name):
        super().__init__(name, PROTOCOL, 0)
        self.flags = {FLAGS[f] for f in NAMED['manual']}
        self.seen = set()
        self.load_failed = False

    def loadPrivkey(self):
        if self.load_failed:
            raise Refused('There is no key: loadkey failed.')
        return None

    def savePrivkey(self):
        pass

    def saveTrusts(self):
        pass


def decode(text):
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise Refused('Not base64.') from None


def word_or_base64(text):
    return decode(text[4:]) if text.startswith('b64:') else text.encode()


class Peer:
    def __init__(self, me, them):
        self.account = Account(me)
        self.context = self.account.getContext(them)
        self.clock_ahead = 0
        potr.context.time = lambda: time.time() + self.clock_ahead

    def do_start(self, rest):
        if not self.context.policyOtrEnabled():
            raise Refused('The policy allows no version.')
        self.context.inject(self.account.getDefaultQueryMessage(self.context.getPolicy))

    def do_recv(self, rest):
        context, message = self.context, decode(rest)
        smp_before = context.crypto.smp.state if context.crypto.smp else 1
        try:
            text, tlvs = context.receiveMessage(message)
        except potr.context.UnencryptedMessage as e:
            emit('plain', data=b64(bytes(e.args[0])), encrypted=False)
            emit('error', code='RCVDMSG_UNENCRYPTED', text='')
        except potr.context.NotOTRMessage as e:
            emit('plain', data=b64(bytes(e.args[0])), encrypted=False)
        except potr.context.ErrorReceived as e:
            emit('error', code='RCVDMSG_GENERAL_ERR', text=e.args[0].error.decode('utf-8', 'replace'))
        except potr.context.NotEncryptedError:
            emit('error', code='RCVDMSG_NOT_IN_PRIVATE', text='')
        except potr.crypt.InvalidParameterError:
            emit('error', code='RCVDMSG_UNREADABLE', text='')
        except Exception as e:  # potr raises whatever its parsing trips over
            emit('error', code='RCVDMSG_MALFORMED', text=type(e).__name__)
        else:
            for tlv in tlvs:
                self.report_tlv(tlv, smp_before)
            if text:
                emit('plain', data=b64(text), encrypted=True)

    def report_tlv(self, tlv, smp_before):
        smp = self.context.crypto.smp
        if isinstance(tlv, proto.ExtraKeyTLV):
            emit('extra-key', dir='received', use=int.from_bytes(tlv.appid, 'big'), data=(tlv.appdata or b'').hex(),
                 key=self.context.crypto.extraKey.hex())
        elif isinstance(tlv, proto.SMPABORTTLV):
            emit('smp', what='abort', progress=0)
        elif isinstance(tlv, proto.SMPTLV) and smp:
            expected = {proto.SMP1TLV: 1, proto.SMP1QTLV: 1, proto.SMP2TLV: 2, proto.SMP3TLV: 3, proto.SMP4TLV: 4}
            if smp.prog == potr.crypt.SMPPROG_CHEATED:
                emit('smp', what='cheated' if smp_before == expected[type(tlv)] else 'error', progress=0)
            elif smp.prog == potr.crypt.SMPPROG_SUCCEEDED:
                emit('smp', what='success', progress=100)
            elif smp.prog == potr.crypt.SMPPROG_FAILED:
                emit('smp', what='failure', progress=100)
            elif isinstance(tlv, proto.SMP1QTLV):
                emit('smp', what='ask-answer', progress=25, question=tlv.msg.decode('utf-8', 'replace'))
            elif isinstance(tlv, proto.SMP1TLV):
                emit('smp', what='ask-secret', progress=25)
            else:
                emit('smp', what='in-progress', progress=60)

    def do_send(self, rest):
        text = decode(rest)
        if b'\0' in text:
            raise Refused('A text holds no NUL.')
        try:
            clear = self.context.sendMessage(potr.context.FRAGMENT_SEND_ALL, text)
        except potr.context.NotEncryptedError:
            emit('error', code='CONNECTION_ENDED', text='')
            return False
        if clear is not None:
            self.context.inject(clear)

    def encrypted(self):
        if self.context.state != potr.context.STATE_ENCRYPTED:
            raise Refused('There is no private conversation.')

    def do_smp_start(self, rest):
        secret, _, question = rest.partition(' ')
        if not secret:
            raise Refused('A secret is missing.')
        self.encrypted()
        self.context.smpInit(word_or_base64(secret), word_or_base64(question) if question else None)

    def do_smp_answer(self, rest):
        if not rest:
            raise Refused('A secret is missing.')
        if not self.context.crypto.smp or self.context.crypto.smp.state != 0:
            raise Refused('Nobody asked.')
        self.context.smpGotSecret(word_or_base64(rest))

    def do_smp_abort(self, rest):
        self.encrypted()
        self.context.smpAbort()

    def do_end(self, rest):
        if self.context.state != potr.context.STATE_PLAINTEXT:
            self.context.disconnect()
            self.context.report('ended')

    def do_fragment(self, rest):
        if not rest.isdigit() or 0 < int(rest) <= 40:
            raise Refused('Not a number of bytes that holds a fragment.')
        self.account.maxMessageSize = int(rest)

    def do_policy(self, rest):
        chosen = set()
        for word in rest.replace(',', ' ').split():
            for flag in NAMED.get(word, [word]):
                if flag not in FLAGS:
                    raise Refused('Unknown flag.')
                chosen.add(FLAGS[flag])
        self.account.flags = chosen

    def do_genkey(self, rest):
        self.account.privkey = Key.generate()
        if rest:
            numbers = zip('pqgyx', self.account.privkey.getPrivatePayload())
            body = ' '.join(f'({name} #{int(n):X}#)' if len(f'{int(n):X}') % 2 == 0 else f'({name} #0{int(n):X}#)'
                            for name, n in numbers)
            with open(rest, 'w', encoding='utf-8') as f:
                f.write(f'(privkeys (account (name "{self.account.name}") (protocol {PROTOCOL}) '
                        f'(private-key (dsa {body}))))\n')

    def do_loadkey(self, rest):
        try:
            self.load_key(rest)
        except Refused:
            # A generated key would pass for the one that was asked for.
            self.account.load_failed = True
            raise

    def load_key(self, rest):
        try:
            with open(rest, encoding='utf-8') as f:
                text = f.read()
        except OSError as e:
            raise Refused(e.strerror) from None
        keys = re.findall(r'\(account\s*\(name\s+"?([^")]*)"?\)(.*?)(?=\(account|\Z)', text, re.S)
        bodies = [body for name, body in keys if name == self.account.name] or [body for _, body in keys[:1]]
        if not bodies:
            raise Refused('The file has no key.')
        n = {name: int(re.sub(r'\s', '', digits), 16)
             for name, digits in re.findall(r'\(([pqgyx])\s+#([0-9A-Fa-f\s]+)#\)', bodies[-1])}
        self.account.privkey = Key((n['y'], n['g'], n['p'], n['q'], n['x']), private=True)

    def do_fingerprint(self, rest):
        emit('fingerprint', who='own', hex=self.account.getPrivkey().fingerprint().hex(), new=False)
        if self.context.crypto.theirPubkey is not None:
            emit('fingerprint', who='peer', hex=self.context.crypto.theirPubkey.fingerprint().hex(), new=False)

    def do_extra_key(self, rest):
        use, _, data = rest.partition(' ')
        try:
            use, data = int(use, 0), bytes.fromhex(data)
            code = use.to_bytes(4, 'big')
        except (ValueError, OverflowError):
            raise Refused('Not a use code and hexadecimal data.') from None
        self.encrypted()
        key = self.context.getExtraKey(code, data)
        emit('extra-key', dir='sent', use=use, data=data.hex(), key=key.hex())

    def do_instag(self, rest):
        raise Refused('Version 2 has no instance tags.')

    def do_state(self, rest):
        self.context.report('asked')

    def do_pass(self, rest):
        if not rest.isdigit():
            raise Refused('Not a number of seconds.')
        self.clock_ahead += int(rest)


def main():
    if len(sys.argv) != 3:
        sys.exit('usage: potr-peer.py <own account> <peer account>')
    logging.disable(logging.CRITICAL)
    peer = Peer(sys.argv[1], sys.argv[2])
    emit('ready', peer='potr', version=importlib.metadata.version('python-potr'))
    sys.stdout.flush()
    for line in sys.stdin:
        name, _, rest = line.rstrip('\r\n').partition(' ')
        run = getattr(peer, 'do_' + name.replace('-', '_'), None)
        ok = True
        if run is not None:
            try:
                ok = run(rest) is not False
            except Refused as e:
                emit('error', code=name, text=str(e))
                ok = False
        elif name != 'quit':
            emit('error', code=name, text='Unknown command.')
            ok = False
        emit('done', command=name, ok=ok)
        sys.stdout.flush()
        if name == 'quit':
            break


if __name__ == '__main__':
    main()
