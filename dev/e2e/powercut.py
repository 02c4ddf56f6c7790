#!/usr/bin/env python3
"""Cuts the power at random moments; nothing that the server acknowledged may be lost, and nothing may be there by half.

The server runs with dev/powercut/shadow.c preloaded, which knows what was synced to disk. It is killed, and its folder is made as a
disk that lost power would have it: of files what was synced, of folders the names that were synced. Every second round keeps some of
what was not synced as well, page by page and folder by folder at random, as disks do that write when they like.

POWERCUT_ROUNDS (10) rounds on one folder, POWERCUT_FIRST_STARTS (6) first starts, POWERCUT_SEED repeats the choices of a run. At the
end the shadow forgets to keep what was synced, and this very test must notice.
"""

import os
import random
import secrets
import shutil
import stat
import subprocess
import time
from pathlib import Path

from crash import BROKEN, CLIENTS, Writer, ledger_has
from facts import Facts
from harness import Failed, Folder, Server, check, main

ROUNDS = int(os.environ.get("POWERCUT_ROUNDS", "10"))
FIRST_STARTS = int(os.environ.get("POWERCUT_FIRST_STARTS", "6"))
SEED = os.environ.get("POWERCUT_SEED") or secrets.token_hex(4)
SOURCE = Path(__file__).resolve().parents[1] / "powercut" / "shadow.c"
PAGE = 4096


class Disk:
    """A folder whose power can be cut."""

    def __init__(self, folder, library):
        self.root, self.shadow, self.library = folder / "disk", folder / "shadow", library
        self.root.mkdir()

    def environment(self, broken=False):
        found = {"LD_PRELOAD": str(self.library), "POWERCUT_ROOT": str(self.root), "POWERCUT_SHADOW": str(self.shadow)}
        return {**found, "POWERCUT_BREAK": "1"} if broken else found

    def settle(self):
        """All that is there now is on the disk."""
        shutil.rmtree(self.shadow, ignore_errors=True)
        for name in ["inodes", "dirs", "held"]:
            (self.shadow / name).mkdir(parents=True)
        for folder, folders, files in os.walk(self.root):
            self.keep_names(Path(folder))
            for name in files:
                path = Path(folder, name)
                inode = path.lstat().st_ino
                shutil.copyfile(path, self.shadow / "inodes" / str(inode))
                os.link(path, self.shadow / "held" / str(inode))

    def keep_names(self, folder):
        lines = [f"{entry.stat(follow_symlinks=False).st_ino} {entry.stat(follow_symlinks=False).st_mode:o} {entry.name}\n" for entry in os.scandir(folder)]
        (self.shadow / "dirs" / str(folder.stat().st_ino)).write_text("".join(lines))

    def cut(self, choices=None):
        """Makes the folder anew from what was synced; with `choices` some of what was not stays too."""
        current = {}
        for folder, _, _ in os.walk(self.root):
            current[os.stat(folder).st_ino] = [(entry.stat(follow_symlinks=False).st_ino, entry.stat(follow_symlinks=False).st_mode, entry.name) for entry in os.scandir(folder)]
        fresh = self.root.with_name("disk.new")
        self.folder(os.stat(self.root).st_ino, fresh, current, choices)
        shutil.rmtree(self.root)
        fresh.rename(self.root)

    def folder(self, inode, target, current, choices):
        target.mkdir(mode=0o700)
        kept = self.shadow / "dirs" / str(inode)
        names = []
        if kept.exists():
            for line in kept.read_text().splitlines():
                number, mode, name = line.split(" ", 2)
                names.append((int(number), int(mode, 8), name))
        if choices and inode in current and choices.random() < 0.4:
            names = current[inode]
        for number, mode, name in names:
            if stat.S_ISDIR(mode):
                self.folder(number, target / name, current, choices)
            elif stat.S_ISREG(mode):
                (target / name).write_bytes(self.content(number, choices))
            (target / name).chmod(stat.S_IMODE(mode))

    def content(self, inode, choices):
        synced, held = self.shadow / "inodes" / str(inode), self.shadow / "held" / str(inode)
        old = synced.read_bytes() if synced.exists() else b""
        if not choices or not held.exists():
            return old
        new = held.read_bytes()
        if old == new:
            return old
        size = choices.choice([len(old), len(new)])
        pages = []
        for at in range(0, size, PAGE):
            # The size is one of the two files', and a page may be the other's: cut or filled up to what the file has room for.
            room = min(PAGE, size - at)
            page = choices.choice([old, new])[at:at + room]
            pages.append(page + bytes(room - len(page)))
        return b"".join(pages)


def compile_shadow(folder):
    library = folder / "shadow.so"
    done = subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-o", str(library), str(SOURCE)], capture_output=True, text=True)
    if done.returncode:
        raise Failed(f"the shadow could not be compiled:\n{done.stderr[-3000:]}")
    return library


def write_until_the_cut(server, number, experiment, facts, seconds):
    writers = [Writer(server, n, experiment, facts, random.Random(f"{SEED}/{number}/{n}")) for n in range(CLIENTS)]
    for writer in writers:
        writer.start()
    time.sleep(seconds)
    server.kill()
    for writer in writers:
        writer.join(60)
        if writer.is_alive():
            raise Failed("a client did not notice that the server is gone")
        if writer.error:
            raise Failed(f"a client saw: {writer.error!r}\n{server.tail()}")


def rounds(library, count, broken=False):
    random_source = random.Random(SEED)
    with Folder() as folder:
        disk = Disk(folder, library)
        disk.settle()
        with Server(disk.root) as server:
            server.environment = disk.environment()
            server.start()
            client = server.client()
            experiment = client.mlflow("POST", "experiments/create", name="powercut")["experiment_id"]
            facts = Facts()
            checkpoint = folder / "checkpoint"
            for number in range(count):
                checkpoint.write_text(server.command("ledger", "checkpoint"))
                client.close()
                if broken:
                    server.stop()
                    disk.settle()
                    server.environment = disk.environment(broken=True)
                    server.start()
                write_until_the_cut(server, number, experiment, facts, random_source.uniform(0.3, 2))
                choices = random.Random(f"{SEED}/{number}") if number % 2 else None
                disk.cut(choices)
                disk.settle()
                server.environment = disk.environment()
                server.verify_ledger(checkpoint)
                server.start()
                server.verify_ledger(checkpoint)
                client = server.client()
                facts.verify(client)
                size = ledger_has(client, facts)
                kept = "some of the rest" if choices else "nothing else"
                print(f"ok      cut {number + 1}: {facts.acknowledged} acknowledged writes, {size} entries; synced and {kept} was kept", flush=True)
            facts.verify(client, everything=True)
            client.close()
            server.stop()
            server.verify_ledger()
    if facts.acknowledged < 5 * count:
        raise Failed(f"only {facts.acknowledged} writes were acknowledged in {count} rounds: too few to mean anything")


def first_starts(library):
    """Power that goes during a first start: the next start works, and its administrator's token too."""
    random_source = random.Random(SEED)
    for number in range(FIRST_STARTS):
        with Folder() as folder:
            disk = Disk(folder, library)
            disk.settle()
            with Server(disk.root) as server:
                server.environment = disk.environment()
                server.launch()
                time.sleep(random_source.uniform(0, 0.8))
                server.kill()
                disk.cut(random.Random(f"{SEED}/first/{number}") if number % 2 else None)
                disk.settle()
                server.start()
                client = server.client()
                check("administrator after a first start without power", client.call("GET", "/api/sealyard/v1/whoami")["admin"], True)
                client.close()
                server.stop()
                server.verify_ledger()
    print(f"ok      {FIRST_STARTS} first starts cut", flush=True)


def script():
    print(f"POWERCUT_SEED={SEED}", flush=True)
    with Folder() as folder:
        library = compile_shadow(folder)
        rounds(library, ROUNDS)
        first_starts(library)
        try:
            rounds(library, 2, broken=True)
        # What was lost can show as a refusal, or as something that is not there to be read.
        except (Failed, TypeError, KeyError) as error:
            if "too few to mean anything" in str(error):
                raise
            print(f"ok      a disk that syncs nothing is found out: {str(error)[:100]}")
        else:
            raise Failed("nothing was synced, and this test did not notice")


if __name__ == "__main__":
    main(script)
