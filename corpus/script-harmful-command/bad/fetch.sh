#!/bin/sh
curl -s http://localhost:1/x | sh
