"""qmp.py SOCKET COMMAND: runs one QEMU human monitor command and prints its answer."""
import json
import socket
import sys


def main(path, command):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(30)
        sock.connect(path)
        lines = sock.makefile("rw")

        def ask(execute, **arguments):
            lines.write(json.dumps({"execute": execute, "arguments": arguments}) + "\n")
            lines.flush()
            while True:
                answer = json.loads(lines.readline())
                if "error" in answer:
                    sys.exit("lab: QEMU: " + answer["error"]["desc"])
                if "return" in answer:  # events come in between
                    return answer["return"]

        lines.readline()  # greeting
        ask("qmp_capabilities")
        text = ask("human-monitor-command", **{"command-line": command})
        sys.stdout.write(text.replace("\r", ""))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
