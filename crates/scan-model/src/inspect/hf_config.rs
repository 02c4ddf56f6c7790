use crate::context::Context;

/// A configuration of Hugging Face's libraries that names Python code which is loaded with the model.
pub(super) fn inspect(_: &[u8], context: &mut Context) -> &'static str {
    context.miss("it names Python code that is loaded with the model (auto_map)");
    "json"
}
