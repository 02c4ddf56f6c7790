use proptest::prelude::*;

use super::*;

fn calls(text: &str) -> Vec<(String, Scope)> {
    let source = Source::read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    source.calls.into_iter().map(|call| (call.path, call.scope)).collect()
}

#[test]
fn names_are_followed_to_their_modules() {
    for text in [
        "import os\nos.system('id')",
        "import os as o; o.system('id')",
        "from os import system\nsystem('id')",
        "from os import (\n  popen,\n  system as s,\n)\ns('id')",
        "from os import *\nsystem('id')",
        "import os\nx = os.system\nx('id')",
        "__import__('os').system('id')",
        "import importlib\nimportlib.import_module('o' 's').system('id')",
        "import os\ngetattr(os, 'sys' + 'tem')('id')",
        "import sys\nsys.modules['os'].system('id')",
        "import os\nos.__getattribute__('system')('id')",
        "import os\nvars(os)['system']('id')",
        "import os\nos.__dict__['system']('id')",
        "__builtins__['__import__']('os').system('id')",
        "globals()['__builtins__'].__import__('os').system('id')",
        "import os\nx = f'{os.system(\"id\")}'",
        "import os\nif True: os.system('id')",
        "import os\nclass A:\n    x = os.system('id')",
        "import os\ndef f(a=os.system('id')): pass",
        "import os\ntry:\n    pass\nexcept E: os.system('id')",
        "import os\n[os.system(x) for x in ['id']]",
        "import os\n\u{ff4f}s.\u{1d42c}ystem('id')",
        "import os\nprint(os.\\\n  system('id'))",
        "import torch; f = torch.hub.os.system; f('id')",
        "import shutil\nshutil.os.system('id')",
        "import shutil\n(shutil).os.system('id')",
        "from torch.hub import os; os.system('id')",
        "from shutil import os as q\nq.system('id')",
        "import random\nrandom._os.system('id')",
        "import os\ndef g():\n    import json as os\nos.system('id')",
        "import os\ndef g(): import json as os\nos.system('id')",
        "from os import system as s\nif False: from json import dumps as s\ns('id')",
        "import os\ndef g():\n    x = 1\nx = os.system\ndef h():\n    x = json.dumps\nx('id')",
        "x = y = __import__('os')\ny.system('id')",
        "import os\nx: object = os\nx.system('id')",
        "import os\nx, y = 1, os.system\ny('id')",
        "import os\nif (x := os): x.system('id')",
        "import sys\nsys.modules.get('o'+'s').system('id')",
        "import sys\nm = sys.modules\nm['os'].system('id')",
        "import torch\ntorch.sys.modules['os'].system('id')",
        "import os\nvars(os).get('system')('id')",
        "__import__('os.path').system('id')",
        "import \u{ba}s; \u{ba}s.system('id')",
        "import o\u{17f}; o\u{17f}.system('id')",
        "# a\rimport os\ros.system('id')",
        "import os\nx: os.system('id') = 1",
        "import os\ndef f(a: os.system('id')) -> int: pass",
    ] {
        assert!(calls(text).contains(&("os.system".into(), Scope::Module)), "{text}: {:?}", calls(text));
    }
    let later = "def f():\n    y.system('id')\n\ndef g():\n    global y\n    y = x\nimport os as x\n";
    assert!(calls(later).contains(&("os.system".into(), Scope::Function("f".into()))));
    let built_in = "def f(): from json import dumps as exec\nexec(x)";
    assert!(calls(built_in).contains(&("exec".into(), Scope::Module)));
    assert!(!calls("from ast import literal_eval as eval\neval(x)").contains(&("eval".into(), Scope::Module)));
    assert!(calls("import os\n(os).system('id')").contains(&("?.system".into(), Scope::Module)));
    assert!(calls("import os\ngetattr(os, x)('id')").contains(&("os.?".into(), Scope::Module)));
}

#[test]
fn what_runs_later_is_told_apart() {
    let text = "import os\nclass A:\n    def f(self):\n        if x:\n            os.system('a')\n\n    os.popen('b')\n\nif __name__ == '__main__':\n    os.remove('c')\nos.kill()\nasync def g(): os.fork()\n";
    let function = |name: &str| Scope::Function(name.into());
    assert_eq!(
        calls(text),
        [
            ("os.system".into(), function("f")),
            ("os.popen".into(), Scope::Module),
            ("os.remove".into(), Scope::Main),
            ("os.kill".into(), Scope::Module),
            ("os.fork".into(), function("g")),
        ]
    );
}

#[test]
fn texts_and_comments_are_no_calls() {
    for text in [
        "# os.system('id')\n",
        "'''os.system(\"id\")'''\n",
        "x = 'os.system(1)' # exec(1)",
        "r'\\d' \n",
        "def system(x): pass\n",
        "f'{{os.system(1)}}'",
        "f'{x:>{width}} {y!r}'",
    ] {
        assert_eq!(calls(text), [], "{text}");
    }
    assert_eq!(
        calls("model.eval()\nself.exec(1)"),
        [("model.eval".into(), Scope::Module), ("self.exec".into(), Scope::Module)]
    );
}

#[test]
fn arguments_are_told() {
    let source = Source::read("import base64\nexec(base64.b64decode('eA==').decode(), x='y')").unwrap();
    let call = source.calls.iter().find(|call| call.path == "exec").unwrap();
    assert!(call.inner.iter().any(|inner| inner == "base64.b64decode"), "{call:?}");
    assert_eq!((call.is_computed, call.texts.last().map(String::as_str)), (true, Some("y")));
}

#[test]
fn what_gets_a_value_is_told() {
    let source = Source::read("import os\nos.environ['A'] = 'b'\nos.environ['C'] == 1\nx = 1").unwrap();
    assert_eq!(source.assigned, [("os.environ.A".to_owned(), 2)]);
}

#[test]
fn settings_are_told_from_where_they_were_written() {
    let source = Source::read("import logging.config\nC = {'()': 'os.system'}\nlogging.config.dictConfig(C)").unwrap();
    assert_eq!(source.calls[0].texts, ["()", "os.system"]);
}

#[test]
fn too_many_meanings_are_an_error() {
    let mut text: String = (0..60).map(|place| format!("import a{place} as x\n")).collect();
    assert!(Source::read(&text).is_ok());
    let of_itself = format!("import torch\ny = torch.x\n{}", "def f():\n    y = y.T\n".repeat(200));
    assert!(Source::read(&of_itself).is_ok());
    text.extend((60..100).map(|place| format!("import a{place} as x\n")));
    assert!(Source::read(&text).is_err());
}

#[test]
fn what_grows_with_its_meanings_is_bounded() {
    let mut text: String = (0..60).map(|place| format!("import a{place} as x\n")).collect();
    text.push_str("x = getattr\nx = vars\n");
    // Each bracket may be any of them.
    let deep = format!("{text}{}x{}", "x(".repeat(140), ")".repeat(140));
    let _ = Source::read(&deep);
    // The text would be told once for each meaning at each depth.
    let long = format!("{text}{}'{}'{}", "x(".repeat(140), "a".repeat(1 << 20), ")".repeat(140));
    assert!(Source::read(&long).is_err());
    assert!(Source::read(&format!("{text}{}", "x(x);".repeat(100_000))).is_err());
}

#[test]
fn what_is_no_source_is_an_error() {
    for text in ["(", "x = 'a\n'", "'''", ")", "(]"] {
        assert!(Source::read(text).is_err(), "{text}");
    }
    assert!(Source::read(&"(".repeat(100_000)).is_err());
    assert!(Source::read(&"f'{".repeat(1000)).is_err());
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in r"(import |from |def |class |if |as |[a-z_.]{1,4}|[0-9]|f?'[^']{0,6}'|\n +|\n|[-+*=(){}\[\]:;,.@]|\\|é|#){0,60}") {
        let _ = Source::read(&text);
    }
}
