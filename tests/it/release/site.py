"""A registry of npm and an index of PyPI with the packages of a folder, on a free port, which is the first line printed.

    site.py FOLDER
"""

import base64
import hashlib
import http.server
import json
import pathlib
import sys
import tarfile
import urllib.parse

FOLDER = pathlib.Path(sys.argv[1])


def manifest(file, host):
    """What a registry says of a package: its package.json, and where the tarball is."""
    with tarfile.open(file) as packed:
        about = json.load(packed.extractfile("package/package.json"))
    digest = base64.b64encode(hashlib.sha512(file.read_bytes()).digest()).decode()
    about["dist"] = {"tarball": f"http://{host}/{file.name}", "integrity": f"sha512-{digest}"}
    return about


def answer(path, host):
    """What there is at a path; none where nothing is."""
    name = urllib.parse.unquote(path).strip("/")
    if name == "simple/leoctl":
        return "".join(f'<a href="/{file.name}">{file.name}</a>\n' for file in FOLDER.glob("*.whl")).encode()
    if (FOLDER / name).is_file():
        return (FOLDER / name).read_bytes()
    for about in (manifest(file, host) for file in FOLDER.glob("*.tgz")):
        if about["name"] == name:
            return json.dumps({"name": name, "dist-tags": {"latest": about["version"]}, "versions": {about["version"]: about}}).encode()
    return None


class Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        found = answer(self.path, self.headers["host"])
        self.send_response(404 if found is None else 200)
        self.send_header("content-type", "text/html" if self.path.startswith("/simple") else "application/octet-stream")
        self.send_header("content-length", str(len(found or b"")))
        self.end_headers()
        self.wfile.write(found or b"")

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
print(server.server_address[1], flush=True)
server.serve_forever()
