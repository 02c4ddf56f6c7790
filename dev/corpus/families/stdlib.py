"""What runs code directly."""

import marshal

from families import COMMAND, MARKER, PYTHON
from families.node import Call, Global, files

NAME = "stdlib"
ABOUT = "standard-library execution"
SHELL = ["sh", "-c", COMMAND]


def code(source=PYTHON, name="<model>"):
    """A code object of the running Python (3.11) by the marshal version that writes no references: the same bytes on each run."""
    return marshal.dumps(compile(source, name, "exec"), 2)


def function():
    """A function made of a code object."""
    return Call(Global("types", "FunctionType"), Call(Global("marshal", "loads"), code()), Call(Global("builtins", "globals")))


def cases():
    environment = {"PATH": "/usr/bin:/bin", "SEALYARD_MARKER": MARKER}
    return files({
        "os-system": Call(Global("os", "system"), COMMAND),
        "posix-system": Call(Global("posix", "system"), COMMAND),
        "nt-system": (Call(Global("nt", "system"), "echo sealyard-marker"), None),
        "os-popen": Call(Global("os", "popen"), COMMAND),
        "os-execvp": Call(Global("os", "execvp"), "sh", SHELL),
        "os-execl": Call(Global("os", "execl"), "/bin/sh", *SHELL),
        "os-spawnvp": Call(Global("os", "spawnvp"), 0, "sh", SHELL),
        "os-spawnlp": Call(Global("os", "spawnlp"), 0, "sh", *SHELL),
        "posix-spawn": Call(Global("posix", "posix_spawn"), "/bin/sh", SHELL, environment),
        "os-startfile": (Call(Global("os", "startfile"), "sealyard-marker.exe"), None),
        "subprocess-popen": Call(Global("subprocess", "Popen"), SHELL),
        "subprocess-run": Call(Global("subprocess", "run"), SHELL),
        "subprocess-call": Call(Global("subprocess", "call"), SHELL),
        "subprocess-check-call": Call(Global("subprocess", "check_call"), SHELL),
        "subprocess-check-output": Call(Global("subprocess", "check_output"), SHELL),
        "subprocess-getoutput": Call(Global("subprocess", "getoutput"), COMMAND),
        "subprocess-getstatusoutput": Call(Global("subprocess", "getstatusoutput"), COMMAND),
        "commands-getoutput": (Call(Global("commands", "getoutput"), COMMAND), None),
        "popen2-popen3": (Call(Global("popen2", "popen3"), COMMAND), None),
        "pty-spawn": Call(Global("pty", "spawn"), SHELL),
        "eval": Call(Global("builtins", "eval"), PYTHON),
        "exec": Call(Global("builtins", "exec"), PYTHON),
        "python2-eval": Call(Global("__builtin__", "eval"), PYTHON),
        "python2-execfile": (Call(Global("__builtin__", "execfile"), "/tmp/sealyard-marker.py"), None),
        "python2-apply": (Call(Global("__builtin__", "apply"), Global("os", "system"), (COMMAND,)), None),
        "compile-exec": Call(Global("builtins", "exec"), Call(Global("builtins", "compile"), PYTHON, "model", "exec")),
        "import-getattr": Call(Call(Global("builtins", "getattr"), Call(Global("builtins", "__import__"), "os"), "system"), COMMAND),
        "import-module": Call(Call(Global("builtins", "getattr"), Call(Global("importlib", "import_module"), "subprocess"), "call"), SHELL),
        "runpy-run-code": Call(Global("runpy", "_run_code"), Call(Global("marshal", "loads"), code()), {"__builtins__": Global("builtins", "__dict__")}),
        "function-type": Call(function()),
        "marshal-exec": Call(Global("builtins", "exec"), Call(Global("marshal", "loads"), code())),
        "pickle-loads": Call(Global("pickle", "loads"), b"cos\nsystem\n(V" + COMMAND.encode() + b"\ntR."),
        "c-pickle-loads": Call(Global("_pickle", "loads"), b"cposix\nsystem\n(V" + COMMAND.encode() + b"\ntR."),
        "fork-exec": Call(Global("subprocess", "Popen"), COMMAND, -1, None, None, None, None, None, True, True),
        "atexit": Call(Global("atexit", "register"), Global("os", "system"), COMMAND),
        "thread": Call(Global("_thread", "start_new_thread"), Global("os", "system"), (COMMAND,)),
        "subinterpreter": Call(Global("_xxsubinterpreters", "run_string"), Call(Global("_xxsubinterpreters", "create")), "import os; os.system('" + COMMAND.replace("'", "") + "')"),
        "interpreters": (Call(Global("_interpreters", "run_string"), Call(Global("_interpreters", "create")), PYTHON), None),
        "codeop": Call(Call(Global("types", "FunctionType"), Call(Global("codeop", "compile_command"), PYTHON), {})),
        "interactive-interpreter": Call(Global("code", "InteractiveInterpreter.runsource"), Call(Global("code", "InteractiveInterpreter")), PYTHON),
    })
