#!/usr/bin/env python3
"""Takes out one defence at a time and shows that the demo and a test notice.

Usage: dev/defences/run.py [RULE ...]     (all of them without arguments; needs cargo, and the demo's packages cached)

Works on a copy of the last commit, so the checkout stays as it is. CARGO_TARGET_DIR is used for the builds. Each defence must
be missed twice: the demo must report its attack as not refused by that rule and end with a non-zero code, and the named crate's
tests must fail.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Rule of the attack, crate whose tests must notice, file, what stands there, what is put in its place.
DEFENCES = [
    ("environment.wheel-digest", "env", "env/src/cache.rs",
     "if digest != cached.wheel.digest {", "if digest != cached.wheel.digest && cached.path.as_os_str().is_empty() {"),
    ("environment.unpinned", "env", "env/src/lock.rs",
     "_ => return Err(unpinned()),\n    };\n    let hashes", "(Some(only), _) => only.version().clone(),\n        _ => return Err(unpinned()),\n    };\n    let hashes"),
    ("sandbox.egress", "sandbox", "sandbox/src/supervisor/notify.rs",
     "_ => Some(libc::EACCES),", "_ => None,"),
    ("pickle-dangerous-global", "app", "app/src/artifacts/upload.rs",
     "if report.verdict == Verdict::Unsafe {", "if report.verdict > Verdict::Unsafe {"),
    ("artifact.path", "core", "core/src/file_tree.rs",
     '"." | ".." => return refuse', '"..." => return refuse'),
    ("vault.authentication", "vault", "vault/src/object.rs",
     'opened.ok_or(VaultError::Authentication { id, reason: "a chunk is not the one that was written there" })?;',
     "let _ = opened;"),
    ("load.file-digest", "serving", "serving/src/files.rs",
     "if bytes.len() as u64 != entry.size || found != entry.digest {",
     "if bytes.len() as u64 != entry.size && found != entry.digest {"),
    ("signature.signer", "gate", "gate/src/rules/mod.rs",
     "Reason::new(rule.name, false, detail.clone())", "Reason::new(rule.name, rule.name == signature_signer::NAME, detail.clone())"),
    ("provenance.builder", "gate", "gate/src/rules/provenance_builder.rs",
     "if rule.builders.contains(id) {", "if !rule.builders.is_empty() {"),
    ("authorization", "identity", "identity/src/authorization/authorizer.rs",
     "        allowed && !denied\n", "        allowed || !denied\n"),
    ("ledger.leaf-hash", "ledger", "ledger/src/verify.rs",
     "if hash != leaf {", "if hash != leaf && index > u64::MAX - 1 {"),
]


def run(tree, *command):
    environment = dict(os.environ, RUSTFLAGS="--cap-lints=warn", CARGO_INCREMENTAL="1")
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True)


def missed_by_demo(tree, rule):
    """What the demo says of the attack, and whether it ended with an error."""
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", tree / "target"))
    demo = run(tree, str(target / "debug/sealyard"), "demo", "--format", "json", "--quiet")
    if demo.returncode == 0:
        return False, "the demo ended with 0"
    try:
        attacks = {attack["gate"]: attack for attack in json.loads(demo.stdout)["attacks"]}
    except (json.JSONDecodeError, KeyError):
        return True, "the demo stopped before the attacks: " + demo.stderr.strip().splitlines()[-1]
    return not attacks[rule]["refused"], attacks[rule]["reason"][:100]


def main() -> int:
    wanted = set(sys.argv[1:])
    unseen = 0
    with tempfile.TemporaryDirectory(prefix="sealyard-defences-") as folder:
        tree = pathlib.Path(folder) / "tree"
        subprocess.run(["git", "clone", "--quiet", "--shared", str(ROOT), str(tree)], check=True)
        for rule, crate, file, stands, instead in DEFENCES:
            if wanted and rule not in wanted:
                continue
            path = tree / "crates" / file
            original = path.read_text()
            if original.count(stands) != 1:
                print(f"✘ {rule}: {file} no longer has the text to take out; mend this script")
                unseen += 1
                continue
            path.write_text(original.replace(stands, instead))
            build = run(tree, "cargo", "build", "--quiet", "-p", "sealyard")
            if build.returncode:
                print(f"✘ {rule}: does not compile without it:\n{build.stderr[-600:]}")
                unseen += 1
            else:
                by_demo, said = missed_by_demo(tree, rule)
                tests = run(tree, "cargo", "test", "--quiet", "--no-fail-fast", "-p", f"sealyard-{crate}")
                failed = sorted(set(re.findall(r"^test (\S+) .*FAILED$|^    (\S+)$", tests.stdout, re.M)))
                names = [name for pair in failed for name in pair if name]
                ok = by_demo and tests.returncode != 0
                unseen += not ok
                print(f"{'✔' if ok else '✘'} {rule}: demo {'notices' if by_demo else 'DOES NOT NOTICE'} ({said}); "
                      f"tests of {crate} {'notice: ' + ', '.join(names[:3]) if tests.returncode else 'DO NOT NOTICE'}", flush=True)
            path.write_text(original)
    print(f"{unseen} of {len(wanted) or len(DEFENCES)} defences could be taken out unseen")
    return 1 if unseen else 0


if __name__ == "__main__":
    sys.exit(main())
