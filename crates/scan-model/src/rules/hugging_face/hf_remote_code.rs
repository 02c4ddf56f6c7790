use sealyard_scan::{Finding, rule};
use serde_json::Value;

use super::{Artifact, texts, walk};
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports configurations of Hugging Face's libraries that name Python code of the model's own: `auto_map`,
    /// `custom_pipelines`, components of diffusers and modules of sentence-transformers that lie in the folder or in
    /// another repository, and `trust_remote_code` set in the file.
    ///
    /// # Why it matters
    /// With `trust_remote_code=True` the loader imports the file, from the folder or from the repository before `--`, and
    /// what it says runs. Code of another repository can change after it was reviewed.
    ///
    /// # What to do
    /// Review the code and pin its revision, or use a model whose class the library itself has.
    id: "hf-remote-code",
    name: "Configuration that names code",
    severity: Medium,
    summary: "A configuration makes its loader import Python code of the model.",
    help: "Review the code and pin its revision, or use a model whose class the library has.",
    references: ["https://huggingface.co/docs/transformers/custom_models"],
}

/// Libraries whose classes diffusers' pipelines and sentence-transformers' modules are made of.
const LIBRARIES: &[&str] = &[
    "diffusers",
    "transformers",
    "sentence_transformers",
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

pub(super) fn check(document: &Artifact, sink: &mut Sink) {
    let mut find = |message: String| {
        let finding = Finding::new(&METADATA, sink.location(), message);
        if !sink.findings.contains(&finding) {
            sink.push(finding);
        }
    };
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
        "trust_remote_code" if value == &Value::Bool(true) => {
            find("it asks for trust_remote_code".to_owned());
        }
        _ => {}
    });
    if let Some(components) = document.as_object().filter(|document| document.contains_key("_class_name")) {
        if let Some([module, _]) = components.get("_class_name").and_then(Value::as_array).map(Vec::as_slice) {
            find(format!("the pipeline's class is in the code {module}"));
        }
        for (name, value) in components {
            let Some([Value::String(library), Value::String(class)]) = value.as_array().map(Vec::as_slice) else {
                continue;
            };
            let top = library.split('.').next().unwrap_or_default();
            if !LIBRARIES.contains(&top) && class.starts_with(char::is_uppercase) && !name.starts_with('_') {
                find(format!("the component {name} is in the code {library}.{class}"));
            }
        }
    }
    for module in document.as_array().into_iter().flatten() {
        let is_module = module.get("idx").is_some() && module.get("path").is_some();
        if let (true, Some(kind)) = (is_module, module.get("type").and_then(Value::as_str))
            && !LIBRARIES.contains(&kind.split('.').next().unwrap_or_default())
        {
            find(format!("a module is in the code {kind}"));
        }
    }
}
