#!/usr/bin/env python3
"""How good model scanners are: ours and those of PyPI over corpus/families (attacks, and harmless twins of them) and
corpus/benign (models of real libraries).

    dev/bench/scan.py [--peers PYTHON | --reuse FILE] [--family NAME]... [--missed] [--json FILE] [--picture FILE] [--write-known-misses]

A malicious file is caught when the verdict is `unsafe` or `suspicious` (of the others: when their command line would report a
finding); on a benign one both are a false positive. What a scanner could not assess is not caught, and is counted apart. SEALYARD
names our binary; without it, SCAN_PATHS names the example `scan_paths` of crates/scan-model. `--peers` names the Python of an
environment with dev/bench/scan-peers.txt (`make bench-scan` makes it). CPU time is user and system time of the tool's process
over the whole corpus, the start included. The other scanners run without a network where `unshare -rn` works.
"""

import argparse
import colorsys
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.sax.saxutils import escape

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "corpus"
FAMILIES = CORPUS / "families"
KNOWN = FAMILIES / "known-misses.txt"
PEERS = ["picklescan", "picklescan-strict", "modelscan", "fickling", "modelaudit"]


def corpus(only):
    """Pairs of path and family; a benign file has none."""
    index = json.loads((FAMILIES / "index.json").read_text())
    found = [(FAMILIES / entry["file"], entry["family"]) for entry in index["files"] if not only or any(one in entry["family"] for one in only)]
    benign = [FAMILIES / name for name in index["benign"]] + sorted(path for path in (CORPUS / "benign").rglob("*") if path.is_file())
    return found + [(path, None) for path in benign], index["families"]


def digest(entries):
    """What was scanned, in one number."""
    whole = hashlib.sha256()
    for path, family in entries:
        whole.update(f"{path.relative_to(CORPUS)} {family}\n".encode())
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            whole.update(file.read_bytes() if file.is_file() else b"")
    return whole.hexdigest()


def timed(command, paths, **more):
    """Runs a scanner; its output and the CPU seconds of it and its children."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as given, tempfile.TemporaryDirectory() as home:
        given.write("\n".join(map(str, paths)).encode() + b"\n")
        given.seek(0)
        environment = {**os.environ, "HOME": home, "PROMPTFOO_DISABLE_TELEMETRY": "1", "NO_ANALYTICS": "1", "DO_NOT_TRACK": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        process = subprocess.Popen(command, stdin=given, stdout=output, stderr=subprocess.DEVNULL, cwd=home, env=environment, **more)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        return output.read().decode(errors="replace"), usage.ru_utime + usage.ru_stime, process.returncode


def by_binary(paths):
    """All files by one call; a folder by one of its own, as the report names what is in it from there."""
    results, cpu = {}, 0.0
    for some in [[path for path in paths if not path.is_dir()], *([path] for path in paths if path.is_dir())]:
        command = [os.path.abspath(os.environ["SEALYARD"]), "scan", "model", *map(str, some), "--format", "json", "--quiet"]
        output, used, code = timed(command, [])
        cpu += used
        if code not in (0, 1, 2) or not output:
            raise SystemExit(f"error: {command[0]} ended with {code} and said nothing")
        seen = {str(path): (set(), set()) for path in some}
        for subject in json.loads(output)["subjects"]:
            verdicts, rules = seen[str(some[0]) if some[0].is_dir() else subject["path"]]
            verdicts.add(subject["verdict"])
            rules.update(finding["rule"] for finding in subject["findings"])
        for path, (verdicts, rules) in seen.items():
            caught = bool(verdicts & {"unsafe", "suspicious"})
            results[path] = (caught, not caught and verdicts != {"safe"}, sorted(rules))
    return results, cpu


def ours(paths):
    """Of each path: caught, not assessed, rules."""
    if os.environ.get("SEALYARD"):
        return by_binary(paths)
    if not os.environ.get("SCAN_PATHS"):
        raise SystemExit("error: neither SEALYARD nor SCAN_PATHS names a scanner")
    output, cpu, code = timed([os.path.abspath(os.environ["SCAN_PATHS"]), "-"], paths)
    lines = [json.loads(line) for line in output.splitlines()]
    if code or len(lines) != len(paths):
        raise SystemExit(f"error: scan_paths ended with {code} after {len(lines)} of {len(paths)} paths")
    return {line["path"]: (line["verdict"] in ("unsafe", "suspicious"), line["verdict"] == "not_assessed", line["rules"]) for line in lines}, cpu


def peer(name, python, paths):
    prefix = ["unshare", "-rn"] if subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode == 0 else []
    results, cpu, left = {}, 0.0, [str(path) for path in paths]
    while left:
        output, used, _ = timed([*prefix, python, str(Path(__file__).with_name("scan_peer.py")), name], left)
        cpu += used
        lines = [json.loads(line) for line in output.splitlines()]
        results.update({line["path"]: (line["caught"], line["error"] and not line["caught"], []) for line in lines})
        if not lines and len(left) == len(paths):
            raise SystemExit(f"error: {name} does not run; is {python} the environment of dev/bench/scan-peers.txt?")
        left = left[len(lines):]
        if left:  # the file on which it fell over
            results[left.pop(0)] = (False, True, [])
    return results, cpu


def version(name, python):
    if name == "sealyard":
        return ""
    package = name.split("-")[0]
    found = subprocess.run([python, "-c", f"import importlib.metadata as m; print(m.version('{package}'))"], capture_output=True, text=True, check=False)
    return found.stdout.strip()


def summary(entries, results, cpu):
    families = {}
    for path, family in entries:
        caught, missed, _ = results[str(path)]
        count = families.setdefault(family, [0, 0, 0])
        for place, value in enumerate((caught, 1, missed)):
            count[place] += value
    benign = families.pop(None, [0, 0, 0])
    malicious = [sum(count[place] for count in families.values()) for place in range(3)]
    return {"families": {name: {"caught": one, "files": all_, "not_assessed": missed} for name, (one, all_, missed) in families.items()},
            "malicious": malicious[1], "caught": malicious[0], "recall": malicious[0] / max(malicious[1], 1), "not_assessed_malicious": malicious[2],
            "benign": benign[1], "false_positives": benign[0], "false_positive_rate": benign[0] / max(benign[1], 1),
            "not_assessed_benign": benign[2], "cpu_seconds": round(cpu, 2)}


def table(found, about):
    names = list(found)
    width = max(len(text) for text in about.values()) + 2
    row = lambda label, cells: f"{label:{width}}" + "".join(f"{cell:>19}" for cell in cells)  # noqa: E731
    lines = [row("", names)]
    for family, text in about.items():
        counts = [found[name]["families"].get(family) for name in names]
        if all(counts):
            lines.append(row(text, [f"{count['caught']}/{count['files']} {count['caught'] / count['files']:6.1%}" for count in counts]))
    lines.append(row("recall", [f"{found[name]['caught']}/{found[name]['malicious']} {found[name]['recall']:6.1%}" for name in names]))
    lines.append(row("false positives", [f"{found[name]['false_positives']}/{found[name]['benign']} {found[name]['false_positive_rate']:6.1%}" for name in names]))
    lines.append(row("not assessed, malicious", [found[name]["not_assessed_malicious"] for name in names]))
    lines.append(row("not assessed, benign", [found[name]["not_assessed_benign"] for name in names]))
    lines.append(row("CPU seconds", [f"{found[name]['cpu_seconds']:.2f}" for name in names]))
    return "\n".join(lines)


def picture(found, about, versions):
    """A grid: families by scanners, each cell a share; recall, false positives and CPU time below."""
    left, cell, line = 330, 128, 26
    wide, high = left + cell * len(found) + 20, 120 + line * (len(about) + 4)
    title = "Model scanners: share of malicious files caught, by family"
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" role="img" aria-label="{escape(title)}">',
           "<style>text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:#c9d1d9}.d{fill:#8b949e}.n{text-anchor:middle}.s{font-size:12px}</style>",
           f'<rect width="{wide}" height="{high}" rx="8" fill="#0d1117"/>', f'<text x="20" y="34">{escape(title)}</text>']
    for column, name in enumerate(found):
        x = left + cell * column + cell // 2
        out.append(f'<text class="n" x="{x}" y="66">{escape(name.replace("picklescan-", ""))}</text>')
        out.append(f'<text class="n d s" x="{x}" y="82">{escape(versions[name] if "strict" not in name else "picklescan")}</text>')

    def cells(y, label, values, share):
        out.append(f'<text x="20" y="{y + 17}">{escape(label)}</text>')
        for column, (text, value) in enumerate(values):
            x = left + cell * column
            if value is not None:
                good = value if share else 1 - value
                shade = "#" + "".join(f"{round(255 * part):02x}" for part in colorsys.hls_to_rgb(good / 3, 0.27, 0.45))
                out.append(f'<rect x="{x + 2}" y="{y}" width="{cell - 4}" height="{line - 2}" rx="3" fill="{shade}"/>')
            out.append(f'<text class="n" x="{x + cell // 2}" y="{y + 17}">{escape(text)}</text>')

    y = 94
    for family, text in about.items():
        counts = [one["families"].get(family) for one in found.values()]
        if all(counts):
            shares = [count["caught"] / count["files"] for count in counts]
            cells(y, text, [(f"{share:.0%}", share) for share in shares], True)
            y += line
    y += 8
    one = next(iter(found.values()))
    cells(y, f"all {one['malicious']} malicious", [(f"{value['recall']:.1%}", value["recall"]) for value in found.values()], True)
    cells(y + line, f"{one['benign']} benign, called bad", [(f"{value['false_positive_rate']:.1%}", value["false_positive_rate"]) for value in found.values()], False)
    cells(y + 2 * line, "CPU seconds for all", [(f"{value['cpu_seconds']:.2f}", None) for value in found.values()], True)
    return "\n".join([*out, "</svg>"]) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", metavar="PYTHON", help="compare with the scanners in this Python's environment")
    parser.add_argument("--reuse", type=Path, metavar="FILE", help="take the other scanners' figures from what --json wrote before, which must be of this corpus")
    parser.add_argument("--family", action="append", help="only families whose name has this in it")
    parser.add_argument("--missed", action="store_true", help="name each malicious file that ours misses and each benign one that it does not call safe")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--picture", type=Path, help="draw the figures into this SVG")
    parser.add_argument("--write-known-misses", action="store_true", help=f"write the attacks that ours misses and the harmless twins that it does not call safe to {KNOWN.relative_to(ROOT)}, which a test reads")
    options = parser.parse_args()
    entries, about = corpus(options.family)
    paths = [path for path, _ in entries]
    results, cpu = ours(paths)
    found, versions = {"sealyard": summary(entries, results, cpu)}, {"sealyard": ""}
    missed = [str(path.relative_to(FAMILIES)) for path, family in entries if family and not results[str(path)][0]]
    if options.missed:
        print("\n".join(f"missed: {name}{' (not assessed)' if results[str(FAMILIES / name)][1] else ''}" for name in missed))
        for path, family in entries:
            caught, unread, rules = results[str(path)]
            if not family and (caught or unread):
                print(f"{'false positive' if caught else 'not assessed'}: {path.relative_to(CORPUS)} {' '.join(rules)}")
    if options.write_known_misses:
        unsafe = [path for path, family in entries if not family and FAMILIES in path.parents and any(results[str(path)][:2])]
        KNOWN.write_text("".join(f"{name}\n" for name in [*missed, *(path.relative_to(FAMILIES) for path in unsafe)]))
    scanned = digest(entries)
    before = json.loads(options.reuse.read_text()) if options.reuse else {}
    if before and before["corpus"] != scanned:
        raise SystemExit(f"error: the figures in {options.reuse} are of another corpus")
    for name in [name for name in before.get("scanners", {}) if name != "sealyard"]:
        found[name], versions[name] = before["scanners"][name], before["versions"][name]
    if options.peers and not before:
        for name in PEERS:
            print(f"running {name} ...", file=sys.stderr)
            found[name] = summary(entries, *peer(name, options.peers, paths))
            versions[name] = version(name, options.peers)
    print(table(found, about))
    if options.json:
        options.json.write_text(json.dumps({"corpus": scanned, "versions": versions, "scanners": found}, indent=1) + "\n")
    if options.picture:
        options.picture.write_text(picture(found, about, versions))


if __name__ == "__main__":
    main()
