#!/usr/bin/env python3
"""Checks that every HTTP request of the server goes out through the crate `outbound`, where the guard is.

Looks at each crate that the server is built from: which HTTP clients it depends on, and where its sources open connections. What
connects otherwise is listed below with its reason. `--self-test` puts a way around into a copy and expects it to be found.
"""

import pathlib
import re
import shutil
import sys
import tempfile
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Crates that send HTTP requests.
CLIENTS = {"reqwest", "ureq", "isahc", "curl", "surf", "attohttpc", "minreq", "hyper-rustls", "hyper-tls", "awc"}
# Sources that open connections: an HTTP client, or a socket to build one on.
OPENS = re.compile(r"\b(reqwest::|ureq::|hyper::client|hyper_util::client|TcpStream::connect|TcpSocket::new|TlsConnector|UdpSocket::bind)")
# Which crate may, and why.
MAY = {
    "outbound": "it is the guard",
    "identity-ldap": "speaks LDAP, not HTTP, and only to the servers that the operator's settings name",
    "ledger-export": "sends syslog, not HTTP, and only to the receiver that the operator's settings name",
}


def manifest(root: pathlib.Path, crate: str) -> dict:
    return tomllib.loads((root / "crates" / crate / "Cargo.toml").read_text())


def crates_of_the_server(root: pathlib.Path) -> set[str]:
    found, waiting = set(), ["server"]
    while waiting:
        crate = waiting.pop()
        if crate in found:
            continue
        found.add(crate)
        for name in manifest(root, crate).get("dependencies", {}):
            if name.startswith("sealyard-"):
                waiting.append(name.removeprefix("sealyard-"))
    return found


def without_tests(text: str) -> str:
    return text.split("#[cfg(test)]\nmod tests")[0]


def problems(root: pathlib.Path) -> list[str]:
    found = []
    for crate in sorted(crates_of_the_server(root) - MAY.keys()):
        for name in sorted(CLIENTS & manifest(root, crate).get("dependencies", {}).keys()):
            found.append(f"crates/{crate} depends on {name}: requests go out through sealyard-outbound")
        for file in sorted((root / "crates" / crate / "src").rglob("*.rs")):
            for number, line in enumerate(without_tests(file.read_text()).splitlines(), 1):
                if OPENS.search(line) and not line.lstrip().startswith("//"):
                    found.append(f"{file.relative_to(root)}:{number}: {line.strip()}")
    return found


def self_test() -> None:
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder)
        for crate in crates_of_the_server(ROOT):
            shutil.copytree(ROOT / "crates" / crate, copy / "crates" / crate, ignore=shutil.ignore_patterns("tests", "migrations"))
        assert not problems(copy), problems(copy)
        source = copy / "crates/app/src/around.rs"
        source.write_text("async fn ask() { reqwest::get(\"http://169.254.169.254/\").await; }\n")
        manifest_file = copy / "crates/api/Cargo.toml"
        manifest_file.write_text(manifest_file.read_text().replace("[dependencies]\n", "[dependencies]\nureq = \"3\"\n", 1))
        seen = problems(copy)
        assert len(seen) == 2 and "around.rs:1" in "".join(seen) and "ureq" in "".join(seen), seen


def main() -> int:
    if "--self-test" in sys.argv:
        self_test()
    found = problems(ROOT)
    for problem in found:
        print(f"error: {problem}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
