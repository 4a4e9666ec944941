"""bridge.py endpoints/NAME: a bridge for a "network" of JSON lines, {"peer": …, "id": …, "text": …}, with Python's own library only.

What arrives on standard input goes to Relay, what Relay wants carried appears on standard output: put your network's client in place of
the two. The key is in RELAY_KEY_FILE, the address of the server's HTTP/JSON in RELAY_HTTP.
"""
import base64, json, os, sys, threading, time, urllib.error, urllib.request

endpoint = sys.argv[1]
server = os.environ.get("RELAY_HTTP", "http://127.0.0.1:7422").rstrip("/")
with open(os.environ["RELAY_KEY_FILE"]) as file:
    key = file.read().strip()


def call(method, path, body=None):
    """Calls Relay, again and again while the fault is a passing one. That is safe: ids and sequences tell a repetition."""
    pause = 0.1
    while True:
        request = urllib.request.Request(
            f"{server}/v1/{endpoint}/{path}", method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"authorization": "Bearer " + key, "content-type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=90) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refusal:
            if refusal.code not in (429, 503, 504):
                sys.stderr.write(f"Relay refuses: {json.load(refusal).get('message')}\n")
                os._exit(1)
        except OSError:
            pass  # it cannot be reached now
        time.sleep(pause)
        pause = min(2 * pause, 10)


def carry_out():
    """Long polls. What is not acknowledged comes again after a crash: acknowledge once the network has it."""
    while True:
        for message in call("GET", "wire?wait=60s").get("messages", []):
            text = base64.b64decode(message["text"]).decode()
            print(json.dumps({"peer": message["peer"], "id": message["sequence"], "text": text}), flush=True)
            call("POST", "wire:ack", {"sequence": message["sequence"]})


def carry_in(message):
    """One after the other, which keeps each peer's order. The network's own id: a message that comes twice takes effect once."""
    body = {"peer": message["peer"], "messageId": message["id"], "text": base64.b64encode(message["text"].encode()).decode()}
    while True:
        result = call("POST", "wire", body)["result"]
        if not result.get("retry"):
            break
        time.sleep(float(result.get("retryDelay", "1s").rstrip("s")))
    if result.get("rejectReason"):
        sys.stderr.write(f"rejected: {result['rejectReason']}\n")


threading.Thread(target=carry_out, daemon=True).start()
for line in sys.stdin:
    carry_in(json.loads(line))
