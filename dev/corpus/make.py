#!/usr/bin/env python3
"""Makes the scanner's corpus: fixtures by rule (corpus/<rule-id>/{bad,ok}/) and attacks by family (corpus/families/).

    dev/corpus/make.py                 write both; nothing that is made is run
    dev/corpus/make.py --confirm       then run the attacks in a sandbox and write down which of them fire
    dev/corpus/make.py --check         write nothing; say what is not as it would be made

The same bytes on each run by the Python and the packages of dev/corpus/requirements.txt (`make corpus`); the fixtures by rule need
the standard library only (`--fixtures`). Payloads are harmless: those that run at all create an empty file, call a harmless
command or ask this machine's port of nobody. `dev/corpus/benign.py` makes files with real libraries.
"""

import argparse
import hashlib
import importlib
import json
import sys
from pathlib import Path

from fixtures import CORPUS, dangerous, folders, forms, objects, projects, shapes

FAMILIES = CORPUS / "families"
INDEX = FAMILIES / "index.json"
MODULES = ["stdlib", "obscure", "libraries", "indirection", "latent", "streams", "effects", "compressed", "containers", "nested",
           "tensorflow", "graphs", "texts", "others"]
# What must be safe.
TWINS = "twins"


def fixtures():
    dangerous.dangerous()
    shapes.unlisted()
    shapes.shapes()
    shapes.states()
    folders.containers()
    folders.skops()
    folders.mlmodel()
    forms.archives()
    forms.libraries()
    forms.folders()
    objects.serialized()
    objects.python_objects()
    projects.graphs()
    projects.notebooks()
    projects.commands()


def attacks():
    """Each family's cases and the harmless twins, with the path of each. The same bytes twice would count twice, so they are an error."""
    made, seen, names, twice = [], {}, set(), []
    for number, module in enumerate([*MODULES, TWINS], 1):
        family = importlib.import_module(f"families.{module}")
        for case in family.cases():
            path = FAMILIES / (family.NAME if module == TWINS else f"{number:02}-{family.NAME}") / case.name
            content = case.content if isinstance(case.content, dict) else {"": case.content}
            digest = hashlib.sha256(repr(sorted(content.items())).encode()).hexdigest()
            if digest in seen or path in names:
                twice.append(f"{path} is there already, or has the bytes of {seen.get(digest)}")
            seen[digest] = path
            names.add(path)
            made.append((family, case, path))
    if twice:
        raise SystemExit("error: " + "\n".join(twice))
    return made


def files(case, path):
    """The files of a case: paths and bytes."""
    if isinstance(case.content, dict):
        return {path / name: content for name, content in case.content.items()}
    return {path: case.content}


def write(made):
    wanted = {path: content for _, case, where in made for path, content in files(case, where).items()}
    for path in sorted(FAMILIES.rglob("*"), reverse=True):
        if path.is_file() and path not in wanted and path.parent != FAMILIES:
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    for path, content in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def index(made, fires):
    known = {}
    if INDEX.exists():
        known = {entry["file"]: entry["fires"] for entry in json.loads(INDEX.read_text())["files"]}
    entries = []
    for family, case, path in made:
        if family.__name__ == f"families.{TWINS}":
            continue
        file = str(path.relative_to(FAMILIES))
        entries.append({"family": file.split("/")[0], "file": file,
                        "gadget": case.gadget, "loader": case.load or "none",
                        "fires": fires.get(path) or ("structural" if case.load is None else known.get(file, "not run"))})
    about = {f"{number:02}-{module.NAME}": module.ABOUT
             for number, module in enumerate((importlib.import_module(f"families.{name}") for name in MODULES), 1)}
    lines = ",\n".join("  " + json.dumps(entry) for entry in entries)
    twins = json.dumps([str(path.relative_to(FAMILIES)) for family, _, path in made if family.__name__ == f"families.{TWINS}"])
    return '{"families": ' + json.dumps(about, indent=1) + ',\n "files": [\n' + lines + '\n ],\n "benign": ' + twins + "}\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fixtures", action="store_true", help="only the fixtures by rule")
    parser.add_argument("--check", action="store_true", help="compare with what is there and write nothing")
    parser.add_argument("--confirm", action="store_true", help="run the attacks in a sandbox and write down which fire")
    parser.add_argument("--only", nargs="*", help="with --confirm: run these families' modules or names of files only")
    options = parser.parse_args()
    if options.check:
        made = attacks()
        wrong = [path for _, case, where in made for path, content in files(case, where).items()
                 if not path.is_file() or path.read_bytes() != content]
        wrong += [INDEX] if not INDEX.exists() or INDEX.read_text() != index(made, {}) else []
        print("\n".join(f"differs: {path.relative_to(CORPUS)}" for path in wrong) or f"{len(made)} attacks are as they would be made")
        return bool(wrong)
    fixtures()
    if options.fixtures:
        return 0
    made = attacks()
    write(made)
    fires = {}
    if options.confirm:
        import confirm

        chosen = [(case, path) for family, case, path in made
                  if family.NAME != "benign" and (not options.only or family.__name__.split(".")[1] in options.only or case.name in options.only)]
        fires = dict(zip((path for _, path in chosen), confirm.all_of(chosen), strict=True))
    INDEX.write_text(index(made, fires))
    for word in ("confirmed", "not loadable here", "structural", "not run"):
        print(f"{word}: {sum(json.loads(line.strip().rstrip(','))['fires'].startswith(word) for line in INDEX.read_text().splitlines() if line.startswith('  {'))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
