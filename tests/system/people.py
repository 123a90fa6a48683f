"""Those who are told of alerts, for tests: an HTTP server that answers as robots do, a mail server; and who looks at pages."""
import base64
import email
import email.policy
import hmac
import http.server
import json
import pathlib
import socketserver
import subprocess
import threading

NPM = pathlib.Path(__file__).parent.parent / "npm"


class Robot:
    """Keeps what is posted to it; answer[path] is what it says, else answer[None]."""

    def __init__(self):
        self.posts = []  # (path with query, headers, body as bytes)
        self.taken = []  # those that were answered with success
        self.answers = {None: [(200, b"")]}  # path: list, whose last one stays; or a function of the body
        robot = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answers = robot.answers.get(self.path.split("?")[0], robot.answers[None])
                if callable(answers):
                    status, text = answers(body)
                else:
                    status, text = answers.pop(0) if len(answers) > 1 else answers[0]
                robot.posts.append((self.path, dict(self.headers), body))
                if status // 100 == 2:
                    robot.taken.append(robot.posts[-1])
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def bodies(self, path="/"):
        return [json.loads(body) for at, _, body in self.posts if at.split("?")[0] == path]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class MailServer:
    """As much of RFC 5321 as a client needs; refuse: code it says to MAIL FROM, for so many times. Who knows the
    password logs in with PLAIN, or with CRAM-MD5 (RFC 2195) if that is said to be the only way."""

    def __init__(self, user=None, password=None, mechanisms="PLAIN"):
        self.mails = []  # (from, [to], message, text as it came)
        self.identity = None
        self.hello = None
        self.refuse = []
        server = self

        class Handler(socketserver.StreamRequestHandler):
            def say(self, text):
                self.wfile.write(text.encode() + b"\r\n")

            def handle(self):
                self.say("220 test ready")
                sender, to, known = None, [], user is None
                while line := self.rfile.readline():
                    word, _, rest = line.decode().strip().partition(" ")
                    word = word.upper()
                    if word == "EHLO":
                        server.hello = rest
                        self.wfile.write(b"250-test\r\n" + (f"250-AUTH {mechanisms}\r\n".encode() if user else b"") + b"250 SIZE\r\n")
                    elif word == "AUTH" and rest == "CRAM-MD5" == mechanisms:
                        self.say("334 " + base64.b64encode(b"<1.2@test>").decode())
                        answer = base64.b64decode(self.rfile.readline()).decode()
                        mac = hmac.new(password.encode(), b"<1.2@test>", "md5").hexdigest()
                        known = answer == f"{user} {mac}"
                        self.say("235 known" if known else "535 who are you?")
                    elif word == "AUTH":
                        if " " not in rest:
                            self.say("334 ")
                            rest += " " + self.rfile.readline().decode().strip()
                        server.identity, name, secret = base64.b64decode(rest.split()[-1]).decode().split("\0")
                        known = (name, secret) == (user, password)
                        self.say("235 known" if known else "535 who are you?")
                    elif word == "MAIL":
                        if server.refuse:
                            self.say(f"{server.refuse.pop(0)} not now")
                            continue
                        sender = rest.split(":", 1)[1].split()[0]
                        self.say("250 fine" if known else "530 say who you are")
                    elif word == "RCPT":
                        to.append(rest.split(":", 1)[1].split()[0])
                        self.say("250 fine")
                    elif word == "DATA":
                        self.say("354 go on")
                        lines = []
                        while (line := self.rfile.readline()) != b".\r\n":
                            lines.append(line[1:] if line.startswith(b"..") else line)
                        raw = b"".join(lines)
                        message = email.message_from_bytes(raw, policy=email.policy.default)
                        server.mails.append((sender, to, message, raw))
                        to = []
                        self.say("250 taken")
                    elif word == "QUIT":
                        self.say("221 bye")
                        return
                    else:
                        self.say("500 what?")

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = "127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def browse(script, *args):
    """Runs a script of tests/npm, which prints lines of JSON."""
    r = subprocess.run(["node", script, *map(str, args)], cwd=NPM, capture_output=True, text=True, timeout=1500)  # for hangs
    assert r.returncode == 0, r.stderr + r.stdout
    return [json.loads(line) for line in r.stdout.splitlines()]
