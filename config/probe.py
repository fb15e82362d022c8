"""`python -m config.probe`: whether the web server of this container is ready; exit code 0 or 1.

It asks as a browser would, by a name that the server serves.
"""

import os
import sys
from http.client import HTTPConnection, HTTPException

SECONDS = 8
READY = "/health/ready"


def main() -> int:
    names = os.environ.get("ALLOWED_HOSTS", "").split(",")
    host = names[0].strip().lstrip(".").replace("*", "") or "localhost"
    server = HTTPConnection("127.0.0.1", int(os.environ.get("PORT") or 8000), timeout=SECONDS)
    try:
        server.request("GET", READY, headers={"Host": host})
        return 0 if server.getresponse().status == 200 else 1
    except (OSError, HTTPException):
        return 1
    finally:
        server.close()


if __name__ == "__main__":
    sys.exit(main())
