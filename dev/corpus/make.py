#!/usr/bin/env python3
"""Makes the scanner's corpus: fixtures by rule (corpus/<rule-id>/{bad,ok}/) and attacks by family (corpus/families/).

    dev/corpus/make.py [--fixtures] [--families] [--confirm]

The same bytes on each run. Payloads are harmless: those that run at all create an empty file or call a harmless
command. `dev/corpus/benign.py` makes files with real libraries. The fixtures need the standard library only.
"""

from fixtures import dangerous, folders, shapes


def fixtures():
    dangerous.dangerous()
    shapes.unlisted()
    shapes.shapes()
    shapes.states()
    folders.containers()
    folders.skops()
    folders.mlmodel()


fixtures()
