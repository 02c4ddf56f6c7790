#!/usr/bin/env python3
"""Checks what is written by hand in the docs against the code: names of rules, and links between pages.

A rule that refuses and is not described, and one that is described and refuses nothing, are errors; so is a link or an
anchor that leads nowhere, and a page that is not in the summary.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs/src"
# Families of rules outside of the gate, and texts of the same shape that are names of files and settings.
FAMILIES = "artifact|alias|policy|registry|version|model|vault|evidence|environment|data|sandbox|load|ledger|outgoing|trace|scorer|dataset|issue|webhook|grant|user|catalog|identity|oidc|ldap|saml|session|second-factor|listener|limit|backup|witness|network|certificate|token"
OTHERS = re.compile(r"\.(toml|keys|key|pub|pem|origin|pkl|sig|txt|checkpoint|jsonl)$|^(catalog\.sqlite|ledger\.(frontier|indexed)|user\.id|session\.id|identity\.password|identity\.session|dataset\.tag)$")


def code() -> str:
    """The crates' sources without their unit tests. The scanner's refuse nothing: a verdict does."""
    parts = []
    for file in sorted((ROOT / "crates").glob("*/src/**/*.rs")):
        if file.relative_to(ROOT / "crates").parts[0] not in ("gate", "formats", "scan-model"):
            parts.append(file.read_text().split("#[cfg(test)]\nmod tests")[0])
    return "\n".join(parts)


def in_code() -> set[str]:
    gate = "\n".join(file.read_text() for file in (ROOT / "crates/gate/src/rules").glob("*.rs"))
    named = set(re.findall(r'\bNAME: &str = "([a-z.-]+)"', gate))
    others = set(re.findall(rf'"((?:{FAMILIES})\.[a-z][a-z-]+)"', code()))
    return named | {"authorization"} | {name for name in others if not OTHERS.search(name)}


def in_docs() -> set[str]:
    """Names in the first column of the two tables; `a.b`, `.c` means `a.c`."""
    found = set()
    for page in ("refusals.md", "policy.md"):
        for cell in re.findall(r"^\| (`[^|]*`) \|", (PAGES / page).read_text(), re.MULTILINE):
            family = ""
            for name in re.findall(r"`([a-z.-]+)`", cell):
                if name.startswith("."):
                    name = family + name
                family = name.partition(".")[0]
                if "." in name or name == "authorization":
                    found.add(name)
    return found


def anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def links() -> list[str]:
    problems = []
    for page in [*ROOT.glob("*.md"), *PAGES.rglob("*.md")]:
        for path, fragment in re.findall(r"\]\(([^)#\s]*)(#[^)]*)?\)", page.read_text()):
            if path.startswith("http"):
                continue
            target = (page.parent / path).resolve() if path else page
            name = page.relative_to(ROOT)
            if not target.exists():
                problems.append(f"{name}: {path} does not exist")
            elif fragment:
                headings = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)
                if fragment[1:] not in map(anchor, headings):
                    problems.append(f"{name}: {path} has no heading {fragment}")
    summary = (PAGES / "SUMMARY.md").read_text()
    for page in PAGES.rglob("*.md"):
        name = page.relative_to(PAGES).as_posix()
        if name != "SUMMARY.md" and f"({name})" not in summary:
            problems.append(f"docs/src/{name} is not in SUMMARY.md")
    return problems


def main() -> int:
    code_names, docs_names = in_code(), in_docs()
    problems = [f"{name} refuses, and no page says so" for name in sorted(code_names - docs_names)]
    problems += [f"{name} is described, and nothing refuses by it" for name in sorted(docs_names - code_names)]
    problems += links()
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
