"""What runs code, or starts what does, by corners of the standard library."""

from families import COMMAND, HOST, MARKER, PORT, PYTHON, URL
from families.node import Build, Call, Global, New, files
from families.stdlib import SHELL

NAME = "obscure-stdlib"
ABOUT = "corners of the standard library"
SYSTEM = Global("os", "system")


def method(module, name, target, *arguments):
    return Call(Global(module, name), target, *arguments)


def plain(**attributes):
    """An object with these attributes."""
    return Build(New(Global("types", "SimpleNamespace")), attributes)


def cases():
    handler = {"version": 1, "handlers": {"file": {"()": "os.system", "command": COMMAND}}}
    ini = f"[loggers]\nkeys=root\n[handlers]\nkeys=h\n[formatters]\nkeys=\n[logger_root]\nhandlers=h\n[handler_h]\nclass=StreamHandler\nargs=({PYTHON},)\n"
    thread = Build(New(Global("threading", "Thread")), {"_target": SYSTEM, "_args": (COMMAND,), "_kwargs": {}})
    process = plain(_target=SYSTEM, _args=(COMMAND,), _kwargs={})
    pickled = b"cposix\nsystem\n(V" + COMMAND.encode() + b"\ntR."
    return files({
        "timeit": Call(Global("timeit", "timeit"), PYTHON, "pass", Global("timeit", "default_timer"), 1),
        "timeit-main": Call(Global("timeit", "main"), ["-n1", "-r1", PYTHON]),
        "cprofile-run": Call(Global("cProfile", "run"), PYTHON),
        "cprofile-runctx": Call(Global("cProfile", "runctx"), PYTHON, {}, {}),
        "profile-run": Call(Global("profile", "run"), PYTHON),
        "trace-run": method("trace", "Trace.run", Call(Global("trace", "Trace")), PYTHON),
        "trace-runctx": method("trace", "Trace.runctx", Call(Global("trace", "Trace")), PYTHON),
        "pdb-run": Call(Global("pdb", "run"), PYTHON),
        "bdb-run": method("bdb", "Bdb.run", Call(Global("bdb", "Bdb")), PYTHON),
        "doctest-debug-script": Call(Global("doctest", "debug_script"), PYTHON),
        "doctest-run": Call(Global("doctest", "run_docstring_examples"), ">>> " + PYTHON, {}, False, "model"),
        "pydoc-pipepager": Call(Global("pydoc", "pipepager"), "text", COMMAND),
        "pydoc-tempfilepager": Call(Global("pydoc", "tempfilepager"), "text", COMMAND + " #"),
        "pydoc-locate": Call(Call(Global("pydoc", "locate"), "os.system"), COMMAND),
        "idlelib-runcommand": method("idlelib.pyshell", "ModifiedInterpreter.runcommand", None, PYTHON),
        "idlelib-runcode": method("idlelib.run", "Executive.runcode", plain(locals={}), PYTHON),
        "idlelib-get-entity": Call(Global("idlelib.calltip", "get_entity"), PYTHON),
        "idlelib-fetch-completions": method("idlelib.autocomplete", "AutoComplete.get_entity", None, PYTHON),
        "idlelib-settext": method("idlelib.debugobj", "ObjectTreeItem.SetText", plain(setfunction=Global("builtins", "eval")), PYTHON),
        "lib2to3-grammar-loads": method("lib2to3.pgen2.grammar", "Grammar.loads", Call(Global("lib2to3.pgen2.grammar", "Grammar")), pickled),
        "lib2to3-make-label": method("lib2to3.pgen2.pgen", "ParserGenerator.make_label", None, Call(Global("lib2to3.pgen2.grammar", "Grammar")), f"'x' and {PYTHON}"),
        "pyrepl-pager": (Call(Global("_pyrepl.pager", "pipe_pager"), "text", COMMAND), None),
        "test-script-helper": Call(Global("test.support.script_helper", "assert_python_ok"), "-c", PYTHON),
        "test-create-file": Call(Global("test.support.os_helper", "create_empty_file"), MARKER),
        "distutils-spawn": Call(Global("distutils.spawn", "spawn"), SHELL),
        "distutils-write-file": Call(Global("distutils.file_util", "write_file"), MARKER, ["x"]),
        "distutils-execute": Call(Global("distutils.util", "execute"), SYSTEM, (COMMAND,)),
        "ensurepip-run-pip": Call(Global("ensurepip", "_run_pip"), ["--log", MARKER, "list"]),
        "venv-create": Call(Global("venv", "create"), MARKER),
        "asyncio-transport": method("asyncio.unix_events", "_UnixSubprocessTransport._start", plain(), COMMAND, True, None, None, None, 0),
        "asyncio-subprocess": Call(Global("asyncio", "run"), Call(Global("asyncio", "create_subprocess_shell"), COMMAND)),
        "multiprocessing-spawnv": Call(Global("multiprocessing.util", "spawnv_passfds"), b"/bin/sh", [b"sh", b"-c", COMMAND.encode()], ()),
        "multiprocessing-threadpool": Call(Global("multiprocessing.pool", "ThreadPool"), 1, SYSTEM, (COMMAND,)),
        "multiprocessing-process-run": method("multiprocessing.process", "BaseProcess.run", process),
        "multiprocessing-client": Call(Global("multiprocessing.connection", "Client"), (HOST, PORT)),
        "webbrowser-generic": method("webbrowser", "GenericBrowser.open", Call(Global("webbrowser", "GenericBrowser"), SHELL), URL),
        "webbrowser-open": Call(Global("webbrowser", "open"), URL),
        "ctypes-cdll": Call(method("ctypes", "CDLL.__getitem__", Call(Global("ctypes", "CDLL"), None), "system"), COMMAND.encode()),
        "ctypes-pythonapi": Call(Global("ctypes", "pythonapi.PyRun_SimpleString"), PYTHON.encode()),
        "ctypes-loadlibrary": Call(Global("ctypes", "cdll.LoadLibrary"), "./" + MARKER + ".so"),
        "ssl-certificate": Call(Global("ssl", "get_server_certificate"), (HOST, PORT)),
        "smtplib": Call(Global("smtplib", "SMTP"), HOST, PORT),
        "telnetlib": Call(Global("telnetlib", "Telnet"), HOST, PORT),
        "poplib": Call(Global("poplib", "POP3"), HOST, PORT),
        "nntplib": Call(Global("nntplib", "NNTP"), HOST, PORT),
        "imaplib-stream": Call(Global("imaplib", "IMAP4_stream"), COMMAND),
        "mailcap": Call(Global("mailcap", "findmatch"), {"text/plain": [{"view": "cat %s", "test": COMMAND}]}, "text/plain"),
        "pipes-template": method("pipes", "Template.open_r", Build(New(Global("pipes", "Template")), {"steps": [(COMMAND, "--")], "debugging": 0}), "/dev/null"),
        "uuid-command": Call(Global("uuid", "_get_command_stdout"), "touch", MARKER),
        "osx-support": Call(Global("_osx_support", "_read_output"), COMMAND),
        "aix-support": (Call(Global("_aix_support", "_read_cmd_output"), COMMAND), None),
        "logging-dictconfig": Call(Global("logging.config", "dictConfig"), handler),
        "logging-fileconfig": Call(Global("logging.config", "fileConfig"), Call(Global("io", "StringIO"), ini)),
        "typing-eval-type": Call(Global("typing", "_eval_type"), Call(Global("typing", "ForwardRef"), PYTHON), {}, {}),
        "typing-get-hints": Call(Global("typing", "get_type_hints"), plain(__annotations__={"x": PYTHON})),
        "dataclasses-create-fn": Call(Global("dataclasses", "_create_fn"), "f", ["x=" + PYTHON], ["pass"]),
        "mock-importer": (Call(Call(Global("unittest.mock", "_importer"), "os.system"), COMMAND), None),
        "pkgutil-resolve": Call(Call(Global("pkgutil", "resolve_name"), "os:system"), COMMAND),
        "entry-point": Call(method("importlib.metadata", "EntryPoint.load", Call(Global("importlib.metadata", "EntryPoint"), "m", "os:system", "g")), COMMAND),
        "thread-run": method("threading", "Thread.run", thread),
        "work-item": method("concurrent.futures.thread", "_WorkItem.run", Call(Global("concurrent.futures.thread", "_WorkItem"), Call(Global("concurrent.futures", "Future")), SYSTEM, (COMMAND,), {})),
        "context-run": method("_contextvars", "Context.run", Call(Global("_contextvars", "Context")), SYSTEM, COMMAND),
        "argparse-filetype": Call(Global("argparse", "FileType.__call__"), Call(Global("argparse", "FileType"), "w"), MARKER),
        "zipapp": Call(Global("zipapp", "create_archive"), ".", MARKER, None, "os:getcwd"),
        "site-addpackage": Call(Global("site", "addsitedir"), "/tmp/" + MARKER),
        "imp-load-source": Call(Global("imp", "load_source"), MARKER, "/tmp/" + MARKER + ".py"),
        "source-file-loader": method("importlib.machinery", "SourceFileLoader.load_module", Call(Global("importlib.machinery", "SourceFileLoader"), MARKER, "/tmp/" + MARKER + ".py")),
        "weakref-finalize": Call(Global("weakref", "finalize"), Call(Global("collections", "UserDict")), SYSTEM, COMMAND),
    }, 1)
