use sealyard_core::Severity;
use sealyard_scan::{Finding, rule};
use serde_json::{Map, Value};

use super::{Artifact, texts, walk};
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports configurations of Hugging Face's libraries that name Python code of the model's own: `auto_map`,
    /// `custom_pipelines`, `custom_generate`, `model_file`, components of diffusers and modules of sentence-transformers
    /// that lie in the folder or in another repository, a repository of kernels in place of an implementation of
    /// attention, and `trust_remote_code` set in the file.
    ///
    /// # Why it matters
    /// With `trust_remote_code=True` the loader imports the file, from the folder or from the repository before `--`, and
    /// what it says runs. Code of another repository can change after it was reviewed. Some loaders do not ask at all:
    /// sentence-transformers for a folder, mlx-lm for `model_file`, transformers before 5.3 for kernels.
    ///
    /// # What to do
    /// Review the code and pin its revision, or use a model whose class the library itself has.
    id: "hf-remote-code",
    name: "Configuration that names code",
    severity: Medium,
    summary: "A configuration makes its loader import Python code of the model.",
    help: "Review the code and pin its revision, or use a model whose class the library has.",
    references: [
        "https://huggingface.co/docs/transformers/custom_models",
        "https://nvd.nist.gov/vuln/detail/CVE-2026-4372",
    ],
}

/// Libraries whose classes diffusers' pipelines are made of, and those of its own modules that have such classes.
const LIBRARIES: &[&str] = &[
    "diffusers",
    "transformers",
    "sentence_transformers",
    "ace_step",
    "alt_diffusion",
    "audio_diffusion",
    "bria_fibo2",
    "cosmos_guardrail",
    "flux",
    "flux2",
    "hunyuan_video1_5",
    "ideogram4",
    "joyimage",
    "ltx",
    "ltx2",
    "marigold",
    "musicldm",
    "sana_wm",
    "spectrogram_diffusion",
    "stable_audio",
    "stable_audio_3",
    "stable_cascade",
    "stable_diffusion_safe",
    "stable_diffusion_xl",
    "unclip",
    "versatile_diffusion",
    "visualcloze",
    "vq_diffusion",
    "wan",
    "onnxruntime",
    "optimum",
    "torch",
    "flax",
    "k_diffusion",
    "stable_diffusion",
    "kolors",
    "deepfloyd_if",
    "latent_diffusion",
    "wuerstchen",
    "paint_by_example",
    "audioldm2",
    "shap_e",
    "kandinsky",
    "audioldm",
    "unidiffuser",
    "blip_diffusion",
    "pag",
    "aura_flow",
    "hunyuan_video",
];

/// Endings of the fields of a network's configuration whose value is names of its parts.
const SETTINGS: &[&str] = &["_types", "_type", "_acts", "_act_fns", "_mappers", "_names", "_seq"];

/// Words that a vocabulary has at least: no call has as many arguments that are numbers.
const LEAST_WORDS: usize = 8;

pub(super) fn check(document: &Artifact, sink: &mut Sink) {
    let place = sink.location();
    let name = place.member.as_deref().unwrap_or(place.path.as_str()).rsplit(['/', '!']).next();
    let is_modules = name.is_some_and(|name| name.eq_ignore_ascii_case("modules.json"));
    let mut find = |message: String| sink.push(Finding::new(&METADATA, place.clone(), message));
    walk(document, &mut |key, value| match key {
        "auto_map" | "custom_pipelines" => {
            for text in texts(value) {
                let named = text.split_once("--");
                if let Some((repository, code)) = named {
                    find(format!("{key} names {code} of the repository {repository}"));
                } else if text.contains('.') {
                    find(format!("{key} names the code {text}"));
                }
            }
        }
        "custom_generate" if is_truthy(value) => {
            find(format!("custom_generate names the code {}", texts(value).first().unwrap_or(&"of the model")));
        }
        "model_file" => {
            for text in texts(value).into_iter().filter(|text| is_code(text)) {
                find(format!("model_file names the code {text}"));
            }
        }
        _ => {}
    });
    if asks_for_trust(document) {
        find("it asks for trust_remote_code".to_owned());
    }
    if let Some(document) = document.as_object().filter(|document| document.contains_key("_class_name")) {
        components(document, &mut find);
    }
    for module in document.as_array().into_iter().flatten() {
        let is_module = is_modules || module.get("idx").is_some() || module.get("path").is_some();
        if let (true, Some(kind)) = (is_module, module.get("type").and_then(Value::as_str))
            && kind.contains('.')
            && !kind.starts_with("sentence_transformers.")
        {
            find(format!("a module is in the code {kind}"));
        }
    }
    kernels(document, sink);
}

/// What a pipeline of diffusers is made of: each component names a library, or a file of its folder, and a class.
fn components(document: &Map<String, Value>, find: &mut dyn FnMut(String)) {
    if let Some(parts) = document.get("_class_name").and_then(Value::as_array) {
        let module = parts.first().and_then(Value::as_str).unwrap_or("of the model");
        find(format!("the pipeline's class is in the code {module}"));
    }
    for (name, value) in document {
        let (library, class) = match value.as_array().map(Vec::as_slice) {
            Some([Value::String(library), Value::String(class)]) => (library, class),
            // That of a modular pipeline has a table behind them.
            Some([Value::String(library), Value::String(class), Value::Object(_)]) => (library, class),
            _ => continue,
        };
        let top = library.split('.').next().unwrap_or_default();
        // The blocks of a network are two names as well, but no component has such a name.
        let is_component = !name.starts_with('_') && !SETTINGS.iter().any(|ending| name.ends_with(ending));
        if is_component && !LIBRARIES.contains(&top) {
            find(format!("the component {name} is in the code {library}.{class}"));
        }
    }
}

/// Repositories of kernels in place of an implementation's name: they are loaded without trust.
fn kernels(document: &Artifact, sink: &mut Sink) {
    walk(document, &mut |key, value| {
        if !key.ends_with("attn_implementation") && !key.ends_with("attn_implementation_internal") {
            return;
        }
        for text in texts(value).into_iter().filter(|text| text.contains('/')) {
            let message = format!("{key} names the kernels of the repository {text}");
            // Those of Hugging Face itself.
            let severity = if text.starts_with("kernels-community/") { Severity::Medium } else { Severity::High };
            sink.push(Finding::new(&METADATA, sink.location(), message).severity(severity));
        }
    });
}

/// Whether `trust_remote_code` is set anywhere. In a vocabulary, where all values are numbers, it is a word.
fn asks_for_trust(value: &Value) -> bool {
    match value {
        Value::Object(entries) => {
            let is_vocabulary = entries.len() >= LEAST_WORDS && entries.values().all(Value::is_number);
            let is_set = entries.get("trust_remote_code").is_some_and(is_truthy);
            (is_set && !is_vocabulary) || entries.values().any(asks_for_trust)
        }
        Value::Array(items) => items.iter().any(asks_for_trust),
        _ => false,
    }
}

/// What Python takes for true.
fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(is_set) => *is_set,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(entries) => !entries.is_empty(),
    }
}

/// Whether Python imports a file of this name.
fn is_code(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [".py", ".pyc", ".pyd", ".so"].iter().any(|ending| name.ends_with(ending))
}
