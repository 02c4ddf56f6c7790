use sealyard_formats::json_bounds::JsonBounds;
use sealyard_scan::FactKind;
use serde_json::Value;

use super::json::LOADER_KEYS;
use super::{jinja, python_json};
use crate::context::Context;
use crate::rules::hugging_face;

/// Most that a configuration may hold: those of tokenizers have some ten thousand added tokens.
const BOUNDS: JsonBounds = JsonBounds { objects: 2_000_000, values: 20_000_000 };
/// Hyperparameters that are told.
const SIZES: &[&str] = &[
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "vocab_size",
    "max_position_embeddings",
    "intermediate_size",
    "r",
    "lora_alpha",
    "lora_dropout",
    "model_max_length",
    "temperature",
    "top_p",
    "n_layer",
    "n_embd",
    "d_model",
];

/// A configuration of Hugging Face's libraries: it may name Python code that is loaded with the model, and hold the
/// template of a chat.
pub(super) fn inspect(document: &[u8], context: &mut Context) -> &'static str {
    if is_foreign(document, context.name()) {
        return "json";
    }
    if !BOUNDS.hold(document) || !context.step(document.len() as u64 / 16 + 1) {
        context.miss("the configuration holds too much");
        return "json";
    }
    // Python's reader takes NaN and Infinity, which are no JSON.
    let read = serde_json::from_slice::<Value>(document).or_else(|error| {
        let text = std::str::from_utf8(document).map_err(|_| error)?;
        serde_json::from_str(&python_json::without_numbers(text))
    });
    match read {
        Ok(document) => {
            hugging_face::run(&document, context.sink());
            tell(&document, context);
            templates(&document, context);
        }
        Err(error) => context.miss(format!("the configuration is no JSON: {error}")),
    }
    "json"
}

/// Whether a document was taken for a configuration only for a `type` in it, which says something in the list of a
/// model's modules alone.
fn is_foreign(document: &[u8], name: &str) -> bool {
    let name = name.rsplit(['/', '!']).next().unwrap_or_default();
    let Ok(text) = std::str::from_utf8(document) else { return false };
    // What is escaped may be any key.
    !name.eq_ignore_ascii_case("modules.json")
        && !text.contains("\\u")
        && !text.contains("chat_template")
        && !text.split('"').any(|word| LOADER_KEYS.contains(&word))
}

fn tell(document: &Value, context: &mut Context) {
    for architecture in document.get("architectures").and_then(Value::as_array).into_iter().flatten() {
        if let Some(name) = architecture.as_str() {
            context.fact(FactKind::Architecture, name, Value::Null);
        }
    }
    for (key, name) in
        [("transformers_version", "transformers"), ("_diffusers_version", "diffusers"), ("peft_version", "peft")]
    {
        if let Some(version) = document.get(key).and_then(Value::as_str) {
            context.fact(FactKind::Framework, name, version);
        }
    }
    for key in ["base_model_name_or_path", "_name_or_path"] {
        if let Some(name) = document.get(key).and_then(Value::as_str).filter(|name| !name.is_empty()) {
            context.fact(FactKind::Dependency, "base model", name);
        }
    }
    for key in ["model_type", "peft_type", "tokenizer_class", "_class_name", "torch_dtype"] {
        if let Some(name) = document.get(key).and_then(Value::as_str) {
            context.fact(FactKind::Property, key, name);
        }
    }
    for key in SIZES {
        if let Some(number) = document.get(key).filter(|value| value.is_number()) {
            context.fact(FactKind::Hyperparameter, key, number.clone());
        }
    }
}

/// Chat templates: one text, or several by name, wherever they stand.
fn templates(document: &Value, context: &mut Context) {
    let mut found = Vec::new();
    collect(document, "", false, &mut found);
    for (place, text) in found {
        context.inside(&place, |context| jinja::template(text, context));
    }
}

fn collect<'v>(value: &'v Value, place: &str, is_template: bool, found: &mut Vec<(String, &'v str)>) {
    match value {
        Value::String(text) if is_template && found.len() < 200 => found.push((place.to_owned(), text)),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(item, &format!("{place}[{index}]"), is_template, found);
            }
        }
        Value::Object(entries) => {
            for (key, inner) in entries {
                let place = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
                // In a list of templates, the name of one is none.
                let is_template = key.contains("chat_template") || (is_template && key != "name");
                collect(inner, &place, is_template, found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use sealyard_core::Verdict;

    use crate::context::Context;

    fn look(name: &str, text: &str) -> (Verdict, Vec<String>) {
        let mut context = Context::new(name);
        let kind = crate::inspect::content(&text.as_bytes(), &mut context);
        let report = context.finish(name, kind);
        (report.verdict, report.findings.into_iter().map(|finding| finding.rule).collect())
    }

    #[test]
    fn what_makes_a_loader_run_code_is_found() {
        for (text, verdict, rule) in [
            (r#"{"auto_map": {"AutoModel": "modeling_x.X"}}"#, Verdict::Suspicious, "hf-remote-code"),
            (r#"{"a": {"auto_map": {"AutoTokenizer": ["o/r--tok.X", null]}}}"#, Verdict::Suspicious, "hf-remote-code"),
            (r#"{"custom_pipelines": {"x": {"impl": "my.Pipeline"}}}"#, Verdict::Suspicious, "hf-remote-code"),
            (r#"{"model_type": "x", "trust_remote_code": true}"#, Verdict::Suspicious, "hf-remote-code"),
            (
                r#"{"_class_name": "StableDiffusionPipeline", "unet": ["my_unet", "Unet"]}"#,
                Verdict::Suspicious,
                "hf-remote-code",
            ),
            (
                r#"[{"idx": 0, "name": "0", "path": "", "type": "custom_st.Transformer"}]"#,
                Verdict::Suspicious,
                "hf-remote-code",
            ),
            (
                r#"{"_class_name": "StableDiffusionPipeline", "unet": ["unet_evil", "evil"]}"#,
                Verdict::Suspicious,
                "hf-remote-code",
            ),
            (
                r#"{"_class_name": "XModularPipeline", "unet": ["unet_evil", "evil", {}]}"#,
                Verdict::Suspicious,
                "hf-remote-code",
            ),
            (r#"{"_class_name": ["pipeline_evil", "evil"]}"#, Verdict::Suspicious, "hf-remote-code"),
            (r#"{"_class_name": ["pipeline_evil", "Evil", "x"], "a": 1}"#, Verdict::Suspicious, "hf-remote-code"),
            (r#"[{"idx": 0, "name": "0", "type": "evil.X"}]"#, Verdict::Suspicious, "hf-remote-code"),
            (r#"[{"idx": 0, "name": "0", "path": "", "type": "torch.hub.X"}]"#, Verdict::Suspicious, "hf-remote-code"),
            (r#"{"model_type": "x", "trust_remote_code": 1}"#, Verdict::Suspicious, "hf-remote-code"),
            (r#"{"trust_remote_code": "true"}"#, Verdict::Suspicious, "hf-remote-code"),
            (r#"{"a": {"trust_remote_code": [0]}}"#, Verdict::Suspicious, "hf-remote-code"),
            (r#"{"attn_implementation": "evil/kernel"}"#, Verdict::Unsafe, "hf-remote-code"),
            (r#"{"_attn_implementation": "evil/kernel:f"}"#, Verdict::Unsafe, "hf-remote-code"),
            (r#"{"_attn_implementation_internal": {"text": "evil/kernel"}}"#, Verdict::Unsafe, "hf-remote-code"),
            (r#"{"attn_implementation": "kernels-community/flash-attn3"}"#, Verdict::Suspicious, "hf-remote-code"),
            (r#"{"model_file": "evil.py"}"#, Verdict::Suspicious, "hf-remote-code"),
            (r#"{"model_file": "evil.abi3.so"}"#, Verdict::Suspicious, "hf-remote-code"),
            (r#"{"custom_generate": "evil/x"}"#, Verdict::Suspicious, "hf-remote-code"),
            (
                r#"{"peft_type": "LORA", "auto_mapping": {"base_model_class": "system", "parent_library": "os"}}"#,
                Verdict::Unsafe,
                "hf-harmful-import",
            ),
            (r#"{"_target_": "os.system", "_args_": ["id"]}"#, Verdict::Unsafe, "hf-harmful-import"),
            (r#"{"processor_class": "__import__('os').system('id')"}"#, Verdict::Suspicious, "hf-harmful-import"),
            (
                r#"{"peft_type": "LORA", "base_model_name_or_path": "http://example.org/x"}"#,
                Verdict::Suspicious,
                "hf-outside-path",
            ),
            (
                r#"{"peft_type": "LORA", "base_model_name_or_path": "\\\\host\\share"}"#,
                Verdict::Suspicious,
                "hf-outside-path",
            ),
            (r#"{"weight_map": {"a": "../x.bin"}}"#, Verdict::Suspicious, "hf-outside-path"),
            (r#"{"weight_map": {"a": "C:\\x\\y.bin"}}"#, Verdict::Suspicious, "hf-outside-path"),
            (r#"{"weight_map": {"a": "hdfs://h/y.bin"}}"#, Verdict::Suspicious, "hf-outside-path"),
            (r#"{"weight_map": {"a": "https://huggingface.co/a/b/x.bin"}}"#, Verdict::Suspicious, "hf-outside-path"),
            (r#"{"chat_template": "{{ ''.__class__ }}"}"#, Verdict::Unsafe, "jinja-python-internals"),
            (
                r#"{"chat_template": [{"name": "a", "template": "{{ x|attr('__init__') }}"}]}"#,
                Verdict::Unsafe,
                "jinja-python-internals",
            ),
        ] {
            let (found, rules) = look("config.json", text);
            assert_eq!((found, rules.first().map(String::as_str)), (verdict, Some(rule)), "{text}");
        }
    }

    #[test]
    fn what_every_model_has_is_safe() {
        for text in [
            r#"{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "_name_or_path": "../x", "hidden_size": 8}"#,
            r#"{"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet"], "safety_checker": [null, null]}"#,
            r#"[{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}]"#,
            r#"{"_class_name": "LTXPipeline", "connectors": ["ltx2", "LTX2TextConnectors"], "x": ["stable_diffusion", "S"]}"#,
            r#"{"_class_name": "UNet2DModel", "down_block_types": ["DownBlock2D", "AttnDownBlock2D"], "_use_default_values": ["a", "b"]}"#,
            r#"[{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.sentence_transformer.modules.x.X"}]"#,
            r#"{"model_type": "x", "trust_remote_code": false, "a": {"trust_remote_code": null}}"#,
            r#"{"trust_remote_code": 0, "b": {"trust_remote_code": ""}, "custom_generate": null}"#,
            r#"{"_attn_implementation": "flash_attention_2", "attn_implementation": null, "_attn_implementation_autoset": true}"#,
            r#"{"model_file": "model.safetensors"}"#,
            r#"{"peft_type": "LORA", "auto_mapping": null, "base_model_name_or_path": "/home/me/models/llama"}"#,
            r#"{"peft_type": "LORA", "auto_mapping": {"base_model_class": "M", "parent_library": "transformers.models.x"}}"#,
            r#"{"tokenizer_class": "LlamaTokenizer", "chat_template": "{% for m in messages %}{{ m['content'] }}{% endfor %}"}"#,
            r#"{"weight_map": {"a": "model-00001-of-00002.safetensors"}}"#,
            r#"{"model_type": "mamba2", "time_step_limit": [0.0, Infinity], "x": NaN}"#,
            r#"{"tokenizer_class": "X", "tokenizer_file": "/root/.cache/huggingface/hub/x/tokenizer.json"}"#,
        ] {
            assert_eq!(look("config.json", text), (Verdict::Safe, vec![]), "{text}");
        }
    }

    #[test]
    fn modules_need_no_other_key_than_their_type() {
        for text in [r#"[{"type": "evil.X"}]"#, r#"[{"name": "0", "path": "", "type": "evil.X"}]"#] {
            assert_eq!(
                look("a/modules.json", text),
                (Verdict::Suspicious, vec!["hf-remote-code".to_owned()]),
                "{text}"
            );
            assert_eq!(look("schema.json", text).0, Verdict::Safe, "{text}");
        }
        let words: String = (0..50).map(|n| format!("\"w{n}\": {n}, ")).collect();
        let vocabulary = format!("{{{words}\"trust_remote_code\": 50}}");
        assert_eq!(look("vocab.json", &vocabulary), (Verdict::Safe, vec![]));
        assert_eq!(look("config.json", &vocabulary.replace("\"w0\": 0", "\"a\": \"b\"")).0, Verdict::Suspicious);
        let lines = "{\"type\": \"a.b\"}\n{\"type\": \"a.b\"}\n";
        assert_eq!(look("train.jsonl", lines), (Verdict::Safe, vec![]));
        assert_eq!(look("data.json", r#"{"type": "FeatureCollection", "features": []}"#), (Verdict::Safe, vec![]));
    }
}
