//! Python objects in documents, as jsonpickle writes them: keys that begin with `py/` say what is imported, called and made.

use serde_json::Value;

use super::python_json;
use crate::context::Context;
use crate::rules::python_objects;

/// Largest document that is parsed.
const MAX_BYTES: usize = 16 << 20;
/// Values inside each other that are followed.
const MAX_DEPTH: usize = 64;
/// Objects that are kept.
const MAX_KEPT: usize = 200;

/// The keys that jsonpickle acts on. <https://github.com/jsonpickle/jsonpickle/blob/main/jsonpickle/tags.py>
const TAGS: &[&str] =
    &["py/function", "py/mod", "py/newobj", "py/object", "py/property", "py/reduce", "py/repr", "py/type"];

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PythonObject {
    /// The key, such as `py/object`.
    pub(crate) tag: String,
    /// What it names, if it names something by itself.
    pub(crate) name: Option<String>,
    /// Where it is, if that is known.
    pub(crate) offset: u64,
}

/// Whether a key is one of these.
pub(super) fn is_tag(key: &str) -> bool {
    TAGS.contains(&key)
}

/// Looks at a document of JSON.
pub(super) fn inspect(document: &[u8], context: &mut Context) -> &'static str {
    let parsed =
        if document.len() > MAX_BYTES { Err("it is too long".to_owned()) } else { python_json::parse(document) };
    match parsed {
        Ok(document) => {
            let mut objects = Vec::new();
            walk(&document, 0, &mut objects);
            python_objects::run(&objects, context.sink());
        }
        Err(error) => context.miss(format!("the JSON with Python objects can't be read: {error}")),
    }
    "jsonpickle"
}

fn walk(value: &Value, depth: usize, objects: &mut Vec<PythonObject>) {
    if depth > MAX_DEPTH {
        return;
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, depth + 1, objects)),
        Value::Object(table) => {
            for (key, value) in table {
                if is_tag(key) && objects.len() < MAX_KEPT {
                    let name = value.as_str().map(str::to_owned);
                    objects.push(PythonObject { tag: key.clone(), name, offset: 0 });
                }
                walk(value, depth + 1, objects);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use sealyard_core::Verdict;

    use super::*;

    #[test]
    fn what_is_named_decides() {
        for (text, expected) in [
            (r#"{"a": {"py/reduce": [{"py/type": "os.system"}, {"py/tuple": ["id"]}]}}"#, Verdict::Unsafe),
            (r#"{"py/function": "builtins.eval"}"#, Verdict::Unsafe),
            (r#"[{"py/object": "subprocess.Popen"}]"#, Verdict::Unsafe),
            (r#"{"py/repr": "os/os.system('id')"}"#, Verdict::Unsafe),
            (r#"{"py\/mod": "os"}"#, Verdict::Unsafe),
            (r#"{"py/object": "some_package.Model"}"#, Verdict::Suspicious),
            (r#"{"py/reduce": [1]}"#, Verdict::Suspicious),
            (
                r#"{"py/object": "sklearn.linear_model._ridge.Ridge", "alpha": 1.0, "t": {"py/tuple": [1]}}"#,
                Verdict::Safe,
            ),
            (r#"{"py/object": "collections.OrderedDict", "x": NaN}"#, Verdict::Safe),
            (r#"{"py": "os.system", "text": "py/object os.system"}"#, Verdict::Safe),
        ] {
            let mut context = Context::new("model.json");
            let kind = crate::inspect::content(&text.as_bytes(), &mut context);
            assert_eq!(context.finish("model.json", kind).verdict, expected, "{text}");
        }
    }
}
