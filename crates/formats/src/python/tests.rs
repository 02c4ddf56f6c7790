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
    ] {
        assert!(calls(text).contains(&("os.system".into(), Scope::Module)), "{text}: {:?}", calls(text));
    }
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
