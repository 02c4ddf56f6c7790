use sealyard_core::Severity;
use sealyard_formats::jinja::Expression;
use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Compares the functions, methods, filters and tests that a template uses with those of Jinja and of chat templates.
    ///
    /// # Why it matters
    /// A template can call whatever its loader puts within reach. What formats a conversation needs methods of texts and
    /// tables and a few functions; a call of `system`, `popen` or `open` is no formatting.
    ///
    /// # What to do
    /// Find out what the loader gives under that name before the template is rendered.
    id: "jinja-unlisted-call",
    name: "Unlisted call in a template",
    severity: Medium,
    summary: "A template calls what no chat template needs.",
    help: "Find out what the loader gives under that name before the template is rendered.",
    references: ["https://huggingface.co/docs/transformers/chat_templating_writing"],
}

/// Functions that Jinja and the loaders of chat models give.
const FUNCTIONS: &[&str] =
    &["caller", "cycler", "dict", "joiner", "loop", "namespace", "raise_exception", "range", "strftime_now", "super"];

/// Methods of texts, tables, lists, loops and dates that neither change what lies outside nor walk through attributes.
const METHODS: &[&str] = &[
    "append",
    "capitalize",
    "casefold",
    "center",
    "changed",
    "clear",
    "copy",
    "count",
    "cycle",
    "endswith",
    "expandtabs",
    "extend",
    "find",
    "format",
    "get",
    "index",
    "insert",
    "isalnum",
    "isalpha",
    "isascii",
    "isdecimal",
    "isdigit",
    "islower",
    "isnumeric",
    "isspace",
    "istitle",
    "isupper",
    "items",
    "join",
    "keys",
    "ljust",
    "lower",
    "lstrip",
    "next",
    "partition",
    "pop",
    "remove",
    "removeprefix",
    "removesuffix",
    "replace",
    "reverse",
    "rfind",
    "rindex",
    "rjust",
    "rpartition",
    "rsplit",
    "rstrip",
    "setdefault",
    "sort",
    "split",
    "splitlines",
    "startswith",
    "strftime",
    "strip",
    "swapcase",
    "title",
    "tojson",
    "update",
    "upper",
    "values",
    "zfill",
];

/// Filters of Jinja but `attr`, and those that the loaders of chat models add.
const FILTERS: &[&str] = &[
    "abs",
    "attr",
    "batch",
    "capitalize",
    "center",
    "count",
    "d",
    "default",
    "dictsort",
    "e",
    "escape",
    "filesizeformat",
    "first",
    "float",
    "forceescape",
    "format",
    "from_json",
    "fromjson",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "keys",
    "last",
    "length",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "pprint",
    "random",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "string",
    "striptags",
    "strip",
    "sum",
    "title",
    "to_json",
    "tojson",
    "trim",
    "truncate",
    "unique",
    "upper",
    "urlencode",
    "urlize",
    "values",
    "wordcount",
    "wordwrap",
    "xmlattr",
];

const TESTS: &[&str] = &[
    "boolean",
    "callable",
    "contains",
    "defined",
    "divisibleby",
    "endingwith",
    "eq",
    "equalto",
    "escaped",
    "even",
    "false",
    "filter",
    "float",
    "ge",
    "greaterthan",
    "gt",
    "in",
    "integer",
    "iterable",
    "le",
    "lessthan",
    "lower",
    "lt",
    "mapping",
    "match",
    "ne",
    "none",
    "number",
    "odd",
    "sameas",
    "search",
    "sequence",
    "startingwith",
    "string",
    "test",
    "true",
    "undefined",
    "upper",
];

/// Names that are called to run something, whatever they belong to.
const HARMFUL: &[&str] = &[
    "call",
    "check_output",
    "compile",
    "eval",
    "exec",
    "execl",
    "execv",
    "execve",
    "getattr",
    "globals",
    "import_module",
    "import_string",
    "load_module",
    "loads",
    "locals",
    "open",
    "popen",
    "read",
    "readlines",
    "remove",
    "rmtree",
    "run",
    "setattr",
    "spawn",
    "subclasses",
    "system",
    "unlink",
    "urlopen",
    "vars",
    "write",
];

pub(super) fn check(template: &Artifact<'_>, sink: &mut Sink) {
    template.walk(|expression, offset| {
        let (sort, name, is_listed) = match expression {
            Expression::Call(function, _) => match &**function {
                Expression::Name(name) => {
                    // What the template sets may be anything, also under the name of a function.
                    let is_known = if template.bindings.has(name) {
                        template.bindings.is_macro(name)
                    } else {
                        FUNCTIONS.contains(&name.as_str())
                    };
                    ("function", name.as_str(), is_known)
                }
                Expression::Attribute(_, name) => {
                    let is_set = template.bindings.has_attribute(function);
                    ("method", name.as_str(), METHODS.contains(&name.as_str()) && !is_set)
                }
                // What another call or a key gives.
                Expression::Item(..) | Expression::Call(..) | Expression::Filter(..) => {
                    ("value", "a computed one", false)
                }
                _ => return,
            },
            Expression::Filter(_, name, _) => ("filter", name.as_str(), FILTERS.contains(&name.as_str())),
            Expression::Test(_, name, _) => ("test", name.as_str(), TESTS.contains(&name.as_str())),
            _ => return,
        };
        if is_listed || super::is_internal(name) {
            return;
        }
        let severity = if HARMFUL.contains(&name) { Severity::Critical } else { Severity::Medium };
        let message = format!("the template calls the {sort} {name}");
        let finding = Finding::new(&METADATA, sink.at(offset), message).severity(severity);
        if !sink.findings.contains(&finding) {
            sink.push(finding);
        }
    });
}
