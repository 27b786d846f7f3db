"""Starts a hal0 on a home of its own, with one slot whose engine is the scripted upstream."""
import json
import os
import socket
import struct
import time
import urllib.error
import urllib.request

# hal0 lets in only as many requests at once as the engine works on; the figures are about relaying, not about queueing.
PARALLEL = 8192
LAUNCH_SECONDS = 300  # a launcher may build first


class NotStarted(Exception):
    """hal0 could not be brought to where it can be measured; the text says why."""


def write_model(path, name):
    """The smallest GGUF that can be registered: a header and one tensor. The upstream never opens it."""
    def text(value):
        data = value.encode()
        return struct.pack("<Q", len(data)) + data

    string, unsigned = 8, 4
    keys = [("general.architecture", string, text("llama")), ("general.name", string, text(name)),
            ("llama.context_length", unsigned, struct.pack("<I", 4096)), ("llama.block_count", unsigned, struct.pack("<I", 1)),
            ("llama.embedding_length", unsigned, struct.pack("<I", 64)), ("tokenizer.ggml.model", string, text("llama")),
            ("tokenizer.chat_template", string, text("{{ messages }}"))]
    with open(path, "wb") as file:
        file.write(b"GGUF" + struct.pack("<IQQ", 3, 1, len(keys)))
        for key, kind, value in keys:
            file.write(text(key) + struct.pack("<I", kind) + value)
        # Its one dimension of 64 numbers, type F32, at offset 0 of the data, which begins at a multiple of 32.
        file.write(text("token_embd.weight") + struct.pack("<IQIQ", 1, 64, 0, 0))
        file.write(b"\0" * (-file.tell() % 32 + 64 * 4))


def free_ports(count):
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def call(url, method="GET", body=None, seconds=90):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method, headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            return answer.read()
    except urllib.error.HTTPError as refusal:
        raise NotStarted(f"{method} {url} answered {refusal.code}: {refusal.read(500).decode(errors='replace')}") from refusal


def wait_until_up(base, process, log):
    deadline = time.monotonic() + LAUNCH_SECONDS
    while True:
        try:
            call(base + "/v1/models", seconds=2)
            return
        except OSError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                with open(log, encoding="utf-8", errors="replace") as file:
                    raise NotStarted(f"hal0 did not come up ({error}); its last words: {file.read()[-1500:]}") from error
            time.sleep(0.2)


def start(launcher, upstream, model, children, folder):
    """Returns the base URL and the pid of the JVM, which the launcher must become by exec."""
    port, engine_port, unused_port = free_ports(3)
    slots = os.path.join(folder, "etc", "hal0", "slots")
    os.makedirs(slots)
    with open(os.path.join(folder, "etc", "hal0", "hal0.toml"), "w", encoding="utf-8") as file:
        file.write(f"[engines]\nllama_server = {json.dumps(upstream)}\n")
    with open(os.path.join(slots, "chat.toml"), "w", encoding="utf-8") as file:
        file.write(f'name = "chat"\ntype = "llm"\nport = {engine_port}\ndefault = true\n\n'
                   f'[server]\nextra_args = "--parallel {PARALLEL}"\n')
    with open(os.path.join(slots, "embed.toml"), "w", encoding="utf-8") as file:
        file.write(f'name = "embed"\ntype = "embedding"\nport = {unused_port}\nenabled = false\n')
    file_name = os.path.join(folder, model + ".gguf")
    write_model(file_name, model)
    log = os.path.join(folder, "hal0.log")
    with open(log, "wb") as output:
        process = children.start([launcher, "serve", "--host", "127.0.0.1", "--port", str(port)], stdout=output, stderr=output,
                                 env={**os.environ, "HAL0_HOME": folder})
    base = f"http://127.0.0.1:{port}"
    wait_until_up(base, process, log)
    # Engines outlive the control plane by design, so this one has to be ended before it.
    children.before_stop(lambda: call(base + "/api/slots/chat/unload?wait=20", "POST", {"force": True}, 30))
    call(base + "/api/models", "POST", {"path": file_name, "id": model})
    call(base + "/api/slots/chat/load?wait=60", "POST", {"model": model})
    return base, process.pid
