#!/usr/bin/env python3
"""Writes the generated allow-lists of crates/scan-model/data from the wheels of real packages, without importing them.

    dev/allowlist/generate.py --download DIRECTORY    fetches the wheels that packages/*.toml name, with pip
    dev/allowlist/generate.py DIRECTORY [PACKAGE...]  reads them and writes the lists, all or those of some packages

A line is `module qualname shape versions`: what may be done with the name is told by the shape (see
crates/scan-model/src/allow/shape.rs), and the versions are the first and the last of those read that have it.

How a name gets on a list is written in packages/<package>.toml:
  [scope]      the packages that are read, and the modules that are left out
  [plain]      classes listed as `instance`: made without arguments, then given their attributes; `shapes` names another
               shape for what derives from a class. A class is only taken
               if neither it nor what it derives from defines a method that runs while a pickle is loaded (wheels.HOOKS),
               unless [reviewed] says what that method does, and if nothing in it opens files, imports or evaluates
               (wheels.HARMFUL), unless [reviewed] says why that is harmless
  [functions]  public functions listed as `function`: they may be named and wrapped in functools.partial, never called.
               Those that mention something of wheels.HARMFUL are left out
  [extensions] classes of extension modules, and the functions of Cython that unpickle them
  [[name]]     single names with their shape, and why
  [[exclude]]  what must not be listed, and why. The scanner's tests ask for each of these

What was left out for want of a review is printed, so that a new version can be looked at.
"""

import fnmatch
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import wheels

HERE = Path(__file__).resolve().parent
DATA = HERE.parents[1] / "crates" / "scan-model" / "data"


def version_key(version):
    return [int(part) for part in re.findall(r"\d+", version)]


class Rules:
    def __init__(self, path):
        self.name = path.stem
        self.text = tomllib.loads(path.read_text())
        self.scope = self.text["scope"]
        self.excluded = [entry["name"] for entry in self.text.get("exclude", [])]
        self.reviewed = [entry["name"] for entry in self.text.get("reviewed", [])]
        self.left_out = set()

    def wanted(self, module):
        parts = module.split(".")
        return not set(parts) & set(self.scope["skip"]) and not any(fnmatch.fnmatchcase(module, glob) for glob in self.scope.get("skip-modules", []))

    def is_excluded(self, module, name):
        return any(fnmatch.fnmatchcase(f"{module} {name}", glob) for glob in self.excluded)

    def is_reviewed(self, what):
        return any(fnmatch.fnmatchcase(what, glob) for glob in self.reviewed)

    def matches(self, section, module):
        return any(fnmatch.fnmatchcase(module, glob) for glob in self.text.get(section, {}).get("modules", []))

    def reads_extension(self, module):
        named = (qualified.split(" ")[0] for entry in self.text.get("name", []) if not entry.get("always") for qualified in entry["names"])
        return self.matches("extensions", module) or any(fnmatch.fnmatchcase(module, glob) for glob in named)

    def instance(self, found, ancestry):
        """The shape of a Python class, or nothing."""
        classes, outside = ancestry(found)
        unknown = outside - wheels.PLAIN_BASES - set(self.text.get("plain", {}).get("bases", []))
        if unknown & wheels.ENUMS and not unknown - wheels.ENUMS - {"str", "int"}:
            return "enum"
        if unknown and unknown <= {"NamedTuple", "namedtuple"}:
            return "fields"
        shapes = self.text.get("plain", {}).get("shapes", {})
        shape = next((shapes[one.name] for one in classes if one.name in shapes), "instance")
        containers = wheels.CONTAINERS | self.text.get("plain", {}).get("containers", {})
        for base in sorted(unknown):
            if base not in containers:
                self.left_out.add(f"{found.module} {found.name}: derives from {base}")
                return None
            shape = "mapping" if containers[base] == "mapping" else shape
        for one in classes:
            for hook in one.hooks:
                if not self.is_reviewed(f"{one.module} {one.name}.{hook}"):
                    self.left_out.add(f"{found.module} {found.name}: {one.module} {one.name}.{hook}")
                    return None
            # What a base mentions is looked at where the base is.
            if one.mentions and not self.is_reviewed(f"{one.module} {one.name}"):
                self.left_out.add(f"{found.module} {found.name}: {one.module} {one.name} mentions {', '.join(sorted(one.mentions))}")
                return None
        return shape

    def entries(self, modules):
        ancestry = wheels.ancestry(modules)
        for module in modules.values():
            for found in module.classes.values():
                if self.is_excluded(module.name, found.name):
                    continue
                if module.extension:
                    if self.matches("extensions", module.name):
                        yield module.name, found.name, "values"
                elif self.matches("plain", module.name):
                    shape = self.instance(found, ancestry)
                    if shape:
                        yield module.name, found.name, shape
            for name, mentioned in module.functions.items():
                if self.is_excluded(module.name, name):
                    continue
                if module.extension:
                    if self.matches("extensions", module.name):
                        yield module.name, name, "pyx-unpickle"
                elif self.matches("functions", module.name) and not mentioned and not name.startswith("_"):
                    yield module.name, name, "function"
        for entry in self.text.get("name", []):
            for qualified in entry["names"]:
                module, name = qualified.split(" ")
                for place in {module} | {alias for alias in modules if fnmatch.fnmatchcase(alias, module)}:
                    first = name.split(".")[0]
                    if entry.get("always") or place in modules and first in modules[place].names:
                        yield place, name, entry["shape"]


def wheel_files(directory, package):
    prefix = package.replace("-", "_").lower() + "-"
    found = [path for path in Path(directory).glob("*.whl") if path.name.lower().startswith(prefix)]
    return sorted(found, key=lambda path: version_key(path.name.split("-")[1]))


# Two versions disagree about a name: it is listed for what both shapes allow together, where there is such a shape.
BOTH = {frozenset(("values", "instance")): "values", frozenset(("mapping", "instance")): "mapping", frozenset(("reference", "function")): "function"}


def generate(directory, rules):
    seen = {}
    versions = []
    for path in wheel_files(directory, rules.name):
        version = path.name.split("-")[1]
        versions.append(version)
        modules = wheels.read(path, rules.scope["roots"], rules.wanted, rules.reads_extension)
        of_version = {}
        for module, name, shape in rules.entries(modules):
            # A single name of the rules comes last and says more than what holds for all.
            of_version[module, name] = shape
        for key, shape in of_version.items():
            before = seen.get(key)
            if before and before[0] != shape:
                shape = BOTH.get(frozenset((shape, before[0])), "reference")
            seen[key] = (shape, before[1] if before else version, version)
    if not versions:
        sys.exit(f"no wheel of {rules.name}")
    lines = ["# Generated by dev/allowlist/generate.py; do not edit.", "# origin: " + rules.name + " " + ", ".join(versions)]
    for (module, name), (shape, first, last) in sorted(seen.items()):
        lines.append(f"{module} {name} {shape} {first if first == last else first + '..' + last}")
    (DATA / (rules.name + ".txt")).write_text("\n".join(lines) + "\n")
    print(rules.name, len(seen), "listed,", len(rules.left_out), "left out", file=sys.stderr)
    for line in sorted(rules.left_out):
        print("  left out:", line)


def excluded(all_rules):
    """The names that the scanner's tests ask for."""
    lines = ["# Generated by dev/allowlist/generate.py; do not edit.", "# Names and patterns that no list may hold, and why."]
    for rules in all_rules:
        for entry in rules.text.get("exclude", []):
            lines.append(f"{entry['name']}\t{entry['why']}")
    (DATA / "excluded.txt").write_text("\n".join(lines) + "\n")


def download(directory, all_rules):
    for rules in all_rules:
        for group in rules.text["wheels"]:
            platforms = [part for platform in group["platforms"] for part in ("--platform", platform)]
            for version in group["versions"]:
                subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", directory,
                                "--python-version", group["python"], *platforms, f"{rules.name}=={version}"], check=True)


def main():
    arguments = sys.argv[1:]
    all_rules = [Rules(path) for path in sorted((HERE / "packages").glob("*.toml"))]
    if len(arguments) == 2 and arguments[0] == "--download":
        return download(arguments[1], all_rules)
    if not arguments or arguments[0].startswith("-"):
        sys.exit(__doc__)
    for rules in all_rules:
        if not arguments[1:] or rules.name in arguments[1:]:
            generate(arguments[0], rules)
    excluded(all_rules)


main()
