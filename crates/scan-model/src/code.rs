//! Whether Python code is of the plain kind that describes a model: it computes, and names nothing that could do more.
//!
//! It is no analysis of what code does. Code that passes uses a few libraries of the trade, no built-in function that runs
//! text, opens files or finds names, and no attribute through which one of these could be reached.

use sealyard_formats::names::names;

use crate::allow::is_dangerous;

/// Why code is not plain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Code {
    /// It names something that runs commands or reaches out.
    Active(String),
    /// It names something that could be anything.
    Unknown(String),
}

/// Libraries whose functions compute, but for the parts in [`PARTS`].
const LIBRARIES: &[&str] = &[
    "PIL",
    "__future__",
    "abc",
    "base64",
    "collections",
    "copy",
    "dataclasses",
    "einops",
    "enum",
    "functools",
    "io",
    "itertools",
    "json",
    "logging",
    "math",
    "numpy",
    "os",
    "packaging",
    "re",
    "sentencepiece",
    "string",
    "time",
    "torch",
    "torchaudio",
    "torchtext",
    "torchvision",
    "transformers",
    "ts",
    "typing",
    "typing_extensions",
    "warnings",
];
/// Parts of names that lead to more than computing, in whatever module.
const PARTS: &[&str] = &[
    "_dynamo",
    "_inductor",
    "_utils_internal",
    "addHandler",
    "builtins",
    "classes",
    "code",
    "config",
    "cpp_extension",
    "ctypes",
    "ctypeslib",
    "distributed",
    "distutils",
    "dump",
    "environ_set",
    "f2py",
    "fileConfig",
    "FileHandler",
    "fileno",
    "fromfile",
    "from_file",
    "genfromtxt",
    "gi_frame",
    "handlers",
    "hub",
    "importlib",
    "inspect",
    "load_library",
    "load_module",
    "loadtxt",
    "memmap",
    "modules",
    "multiprocessing",
    "open",
    "open_code",
    "ops",
    "os",
    "package",
    "pickle",
    "popen",
    "putenv",
    "remote",
    "rpc",
    "save",
    "savetxt",
    "savez",
    "savez_compressed",
    "shutil",
    "site",
    "socket",
    "subprocess",
    "sys",
    "system",
    "testing",
    "tofile",
    "trust_remote_code",
    "unlink",
    "write_bytes",
    "write_text",
];
/// Parts of `os` that change nothing.
const OS: &[&str] = &["path", "getcwd", "listdir", "sep"];
/// Built-in functions that run text, open files, or find names.
const BUILTINS: &[&str] = &["__import__", "breakpoint", "compile", "eval", "exec"];
/// The same, of those that have good uses as well.
const FINDERS: &[&str] =
    &["delattr", "dir", "getattr", "globals", "input", "locals", "memoryview", "open", "setattr", "vars", "type"];
/// Names with two underscores that every class has its own of.
const PLAIN: &[&str] = &[
    "__all__",
    "__call__",
    "__contains__",
    "__doc__",
    "__enter__",
    "__eq__",
    "__exit__",
    "__file__",
    "__getitem__",
    "__hash__",
    "__init__",
    "__iter__",
    "__len__",
    "__main__",
    "__name__",
    "__next__",
    "__post_init__",
    "__repr__",
    "__str__",
    "__version__",
];

/// Longest source that is looked at.
const MAX_SOURCE: usize = 4 << 20;

/// Why `source` is not plain, each once; nothing if it is.
pub(crate) fn look(source: &[u8]) -> Vec<Code> {
    if source.len() > MAX_SOURCE {
        return vec![Code::Unknown("it is too long".to_owned())];
    }
    let names = names(source);
    let mut found: Vec<Code> = names.odd.map(|odd| Code::Unknown(odd.to_owned())).into_iter().collect();
    let mut add = |code: Code| {
        if !found.contains(&code) && found.len() < 32 {
            found.push(code);
        }
    };
    for import in &names.imports {
        let text = import.text.as_str();
        let (module, name) = text.rsplit_once('.').unwrap_or((text, ""));
        let mut parts = text.split('.');
        let first = parts.next().unwrap_or_default();
        let is_os = first == "os" && parts.clone().next().is_none_or(|part| OS.contains(&part));
        if is_os && !text.contains('*') {
            continue;
        }
        if first != "torch" && (is_dangerous(text, "") || is_dangerous(module, name)) {
            add(Code::Active(format!("import {text}")));
        } else if !first.is_empty() && !LIBRARIES.contains(&first)
            || parts.clone().any(|part| PARTS.contains(&part) || part == "*" && first != "typing")
        {
            add(Code::Unknown(format!("import {text}")));
        }
    }
    for name in &names.used {
        let text = name.text.as_str();
        let (module, last) = text.rsplit_once('.').unwrap_or(("builtins", text));
        let mut parts = text.split('.');
        let first = parts.next().unwrap_or_default();
        let is_builtin = !name.is_attribute && BUILTINS.contains(&text);
        let is_os = first == "os" && parts.clone().next().is_some_and(|part| OS.contains(&part));
        if is_builtin || module != "builtins" && is_dangerous(module, last) && !is_os && first != "torch" {
            add(Code::Active(text.to_owned()));
            continue;
        }
        let is_reach = parts.clone().chain(name.is_attribute.then_some(first)).any(|part| PARTS.contains(&part));
        let is_os = first != "os" || is_os || text == "os" && !name.is_called;
        let is_finder = !name.is_attribute && FINDERS.contains(&text) && name.is_called;
        let is_inner = text.split('.').any(|part| part.starts_with("__") && !PLAIN.contains(&part));
        if is_reach || !is_os || is_finder || is_inner || first == "trust_remote_code" {
            add(Code::Unknown(text.to_owned()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_describes_a_model_is_plain() {
        let source = b"import os\nimport torch\nfrom torch import nn\nimport torch.nn.functional as F\nfrom ts.torch_handler.base_handler import BaseHandler\n\n\
            class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.fc = nn.Linear(3, 4)\n\n\
            def forward(self, x):\n        return F.relu(self.fc(x))\n\n\
            path = os.path.join('a', 'b')\nmodel = torch.jit.load(path)\n";
        assert_eq!(look(source), []);
    }

    #[test]
    fn what_does_more_is_told() {
        for source in [
            "import os\nos.system('id')",
            "import subprocess",
            "eval('1')",
            "from os import system",
            "__import__('os')",
            "import socket as s",
        ] {
            assert!(look(source.as_bytes()).iter().any(|code| matches!(code, Code::Active(_))), "{source}");
        }
        for source in [
            "import torch\ntorch.hub.load('a/b', 'c')",
            "import torch\ntorch.os.system('id')",
            "import torch as t\nt.os.system('id')",
            "import helper",
            "getattr(x, 'y')",
            "x.__class__.__subclasses__()",
            "open('x', 'w')",
            "import os\ns = os\ns.system(1)",
            "import numpy\nnumpy.save('x', a)",
            "# coding: utf-7\n",
            "f'{x.__globals__}'",
        ] {
            assert!(!look(source.as_bytes()).is_empty(), "{source}");
        }
        assert!(!look(&b"a\n".repeat(MAX_SOURCE)).is_empty());
    }
}
