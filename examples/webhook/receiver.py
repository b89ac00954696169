"""Shows what is posted to it: python receiver.py."""

import json
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer


class Receiver(BaseHTTPRequestHandler):
    """Takes every event. Any answer but 200 to 299 would have it posted again, later."""

    def do_POST(self) -> None:
        """Shows the event, and takes it."""
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        print(event["type"], event["subject"], event.get("data"), flush=True)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing: what was received is shown."""


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        HTTPServer(("127.0.0.1", 9000), Receiver).serve_forever()
