"""Real Prometheus and Alertmanager on a port of their own, with a configuration of the test's."""
import subprocess
import urllib.request

from test_alerts import await_that
from test_monitor import Api, free_port


class Peer(Api):
    """A program that answers /-/ready; LISTEN in its arguments is where it listens."""

    def __init__(self, *argv):
        address = f"127.0.0.1:{free_port()}"
        self.url = "http://" + address
        self.process = subprocess.Popen([str(a).replace("LISTEN", address) for a in argv])
        await_that(self.is_ready)

    def is_ready(self):
        try:
            return urllib.request.urlopen(self.url + "/-/ready").status == 200
        except OSError:
            return False

    def stop(self):
        self.process.terminate()
        self.process.wait()


class PrometheusPeer(Peer):
    def __init__(self, config, data, *args):
        super().__init__("prometheus", f"--config.file={config}", f"--storage.tsdb.path={data}", "--log.level=error",
                         "--web.listen-address=LISTEN", *args)


class AlertmanagerPeer(Peer):
    def __init__(self, config, data, *args):
        super().__init__("prometheus-alertmanager", f"--config.file={config}", f"--storage.path={data}",
                         "--web.listen-address=LISTEN", "--cluster.listen-address=", "--log.level=error", *args)
