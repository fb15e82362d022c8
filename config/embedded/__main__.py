"""`python -m config.embedded start|stop|status`: the embedded server by hand."""

import argparse
import sys

from config.embedded.errors import EmbeddedServerError
from config.embedded.server import EmbeddedServer
from config.home import carryover_home


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0: done; 1: refused; 3: `status` found no running server."""
    parser = argparse.ArgumentParser(prog="python -m config.embedded", description=__doc__)
    parser.add_argument("command", choices=["start", "stop", "status"])
    command = parser.parse_args(arguments).command
    server = EmbeddedServer(carryover_home())
    try:
        if command == "start":
            server.ensure_running()
        elif command == "stop":
            stopped = server.stop()
            sys.stdout.write(f"{'Stopped' if stopped else 'Not running'}: {server.data}\n")
            return 0
        running = server.is_running()
    except EmbeddedServerError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{'Running' if running else 'Not running'}: {server.data}\n")
    return 0 if running else 3


if __name__ == "__main__":
    sys.exit(main())
