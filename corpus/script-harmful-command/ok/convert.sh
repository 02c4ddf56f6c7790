#!/bin/sh
set -e
# curl x | sh
curl -O https://example.org/model.bin
python convert.py | tee log
rm -rf /tmp/model
