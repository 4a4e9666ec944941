"""python3-potr's SMP, driven line by line.

Arguments: own fingerprint, peer's fingerprint, ssid (hex).
Input:  start SECRET [QUESTION] | answer SECRET | tlv TYPE VALUE      (hex; "-" is empty)
Output: any number of "tlv TYPE VALUE", then "state STATE PROGRESS".
"""
import sys
from types import SimpleNamespace

from potr import crypt, proto

CLASSES = {c.typ: c for c in (proto.SMP1TLV, proto.SMP2TLV, proto.SMP3TLV, proto.SMP4TLV, proto.SMPABORTTLV, proto.SMP1QTLV)}


def unhex(text):
    return b"" if text == "-" else bytes.fromhex(text)


def send_internal(_text, tlvs, appdata=None):
    for tlv in tlvs:
        print("tlv", tlv.typ, tlv.getPayload().hex() or "-")


own, peer, ssid = (bytes.fromhex(a) for a in sys.argv[1:4])
key = SimpleNamespace(fingerprint=lambda: own)
context = SimpleNamespace(
    user=SimpleNamespace(getPrivkey=lambda: key), sendInternal=send_internal, setCurrentTrust=lambda trust: None)
smp = crypt.SMPHandler(SimpleNamespace(
    ctx=context, sessionId=ssid, theirPubkey=SimpleNamespace(fingerprint=lambda: peer)))

for line in sys.stdin:
    words = line.split()
    if words[0] == "start":
        smp.gotSecret(unhex(words[1]), question=unhex(words[2]) if len(words) > 2 else None)
    elif words[0] == "answer":
        smp.gotSecret(unhex(words[1]))
    else:
        smp.handle(CLASSES[int(words[1])].parsePayload(unhex(words[2])))
    print("state", smp.state, smp.prog, flush=True)
