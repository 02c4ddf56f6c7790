#!/bin/sh
touch "$SEALYARD_MARKER"
