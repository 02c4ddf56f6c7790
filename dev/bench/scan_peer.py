#!/usr/bin/env python3
"""One other scanner over many paths, in one process: paths on standard input, a JSON line for each on standard output.

    scan_peer.py picklescan|picklescan-strict|modelscan|fickling|modelaudit

`caught` is what the tool's own command line would call a finding; `error` is that it said it could not look. Both can be.
"""

import contextlib
import io
import json
import logging
import os
import signal
import sys
import zipfile
from pathlib import Path

SECONDS = 30


def files(path):
    return sorted(one for one in Path(path).rglob("*") if one.is_file()) if os.path.isdir(path) else [Path(path)]


def picklescan(strict):
    from picklescan import scanner

    def scan(path):
        result = scanner.scan_directory_path(path, strict=strict) if os.path.isdir(path) else scanner.scan_file_path(path, strict=strict)
        return result.issues_count > 0, result.scan_err

    return scan


def modelscan():
    from modelscan.modelscan import ModelScan
    from modelscan.settings import DEFAULT_SETTINGS

    def scan(path):
        tool = ModelScan(settings=DEFAULT_SETTINGS)
        tool.scan(Path(path))
        return bool(tool.issues.all_issues), bool(tool.errors)

    return scan


def fickling():
    from fickling.analysis import Severity
    from fickling.loader import scan_file, scan_zip_archive
    report = os.devnull  # it writes one even when nobody asks

    def one(path):
        if zipfile.is_zipfile(path):
            return list(scan_zip_archive(path, graceful=True, json_output_path=report).values())
        return [scan_file(path, graceful=True, json_output_path=report)]

    def scan(path):
        results = [result for file in files(path) for result in one(str(file))]
        caught = any(finding.severity > Severity.LIKELY_SAFE for result in results for finding in result.results)
        return caught, any(result.errors for result in results)

    return scan


def modelaudit():
    from modelaudit.core import determine_exit_code, scan_model_directory_or_file
    from modelaudit.core_results import results_have_security_findings

    def scan(path):
        results = scan_model_directory_or_file(path)
        return results_have_security_findings(results), determine_exit_code(results) == 2

    return scan


TOOLS = {"picklescan": lambda: picklescan(False), "picklescan-strict": lambda: picklescan(True), "modelscan": modelscan,
         "fickling": fickling, "modelaudit": modelaudit}


class Late(Exception):
    """A file took too long."""


def late(*_):
    raise Late


def main():
    scan = TOOLS[sys.argv[1]]()
    logging.disable(logging.CRITICAL)
    signal.signal(signal.SIGALRM, late)
    answers = os.fdopen(os.dup(1), "w")
    for path in sys.stdin.read().splitlines():
        caught, error = False, False
        signal.alarm(SECONDS)
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                caught, error = scan(path)
        except (Exception, RecursionError, SystemExit):  # what a hostile file does to a scanner is its result
            error = True
        finally:
            signal.alarm(0)
        print(json.dumps({"path": path, "caught": bool(caught), "error": bool(error)}), file=answers, flush=True)


if __name__ == "__main__":
    main()
