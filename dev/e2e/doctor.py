"""`sealyard doctor` of a running server: what it says, how it ends, and that it sees what was changed behind the server's back.

SEALYARD names the binary.
"""

import json
import sqlite3

from harness import Folder, Server, check, main


def grades(server, *arguments, code):
    report = json.loads(server.command("doctor", *arguments, "--format", "json", code=code))
    check("schema", report["schema"], "sealyard.doctor/1")
    return {one["id"]: one["grade"] for one in report["checks"]}


def run():
    with Folder() as folder, Server(folder) as server:
        server.start()
        before = grades(server, code=1)  # a self-signed certificate and no backup: nobody would call that well
        check("a certificate of its own", before["transport"], "fail")
        unknown = sorted(name for name, grade in before.items() if grade == "not_assessed")
        check("nobody was asked about newer releases", "updates" in unknown, True)
        named = [word for name in unknown for word in ("--unassessed-ok", name)]
        check("what may be unknown changes no failure", grades(server, *named, code=1), before)
        server.command("doctor", "--unassessed-ok", "nothing-of-this-name", code=2)
        text = server.command("doctor", code=1)
        check("advice", "→" in text and "FAIL" in text, True)
        # A grant that nobody gave.
        server.user("mallory", ("READ", "experiment:*"))
        server.stop()
        with sqlite3.connect(server.data / "catalog.sqlite") as database:
            changed = database.execute("UPDATE grants SET permission = 'MANAGE' WHERE permission = 'READ'").rowcount
        database.close()
        check("grants that were changed", changed, 1)
        server.start()
        check("rows that were changed", grades(server, code=1)["access"], "fail")
        print("sealyard doctor: grades, ends as it says, and sees a grant that was changed behind the server's back")


main(run)
