use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealyard_core::ReadAt;
use sealyard_formats::xml::{self, Element, Part, XmlLimits};
use sealyard_scan::{FactKind, SubjectReport};
use serde_json::Value;

use super::{Folder, unknown};
use crate::context::Context;
use crate::rules;

/// Largest document that is read into memory.
const MAX_BYTES: u64 = 1 << 30;
/// Most parts that the rules are given, and most names that are counted.
const MAX_KEPT: usize = 10_000;

/// Roots of what is shown, and not loaded.
const DRAWINGS: &[&str] = &["html", "svg"];

/// A document: what could matter of it.
#[derive(Debug, Default)]
pub(crate) struct XmlDocument {
    /// Instructions, `DOCTYPE`s and references to entities.
    pub(crate) parts: Vec<Part>,
    /// Elements that name other things: those with attributes that may be paths, and PMML's functions.
    pub(crate) elements: Vec<Element>,
}

/// Whether a text is the whole of a document, whatever its root is called.
pub(super) fn is_whole(text: &str) -> bool {
    text.starts_with('<')
        && text.trim_end().ends_with('>')
        && xml::walk(text.as_bytes(), &XmlLimits::default(), &mut |_| {}).is_ok()
}

/// XML: PMML, OpenVINO, and any other.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    let Some(bytes) = context.read(data, MAX_BYTES) else { return "xml" };
    let limits = XmlLimits { events: context.budget().steps, ..XmlLimits::default() };
    let mut look = Look::default();
    let result = xml::walk(&bytes, &limits, &mut |part| look.see(part));
    context.step(look.count);
    if look.root.as_ref().is_some_and(|root| DRAWINGS.contains(&root.name.as_str())) {
        // Their scripts run in a browser, and no loader of models reads them.
        look.document.elements.clear();
    }
    rules::xml::run(&look.document, context.sink());
    if let Err(error) = result {
        context.miss(format!("the XML can't be read: {error}"));
    }
    for (place, pickle) in std::mem::take(&mut look.pickles) {
        context.nest_expanded(&place, &pickle);
    }
    if look.is_full {
        context.miss("it has more parts that lead outside than are looked at");
    }
    look.tell(context)
}

/// Beside each graph of OpenVINO lie its weights: raw numbers, which have no form of their own.
pub(super) fn folder(folder: &mut Folder<'_>) {
    for path in folder.of_kind("openvino") {
        let Some(stem) = path.strip_suffix(".xml") else { continue };
        let weights = format!("{stem}.bin");
        if let Some(subject) = folder.subject(&weights)
            && subject.kind == "unknown"
            && subject.findings.is_empty()
            && subject.not_assessed.iter().all(|missed| missed.reason == unknown::REASON)
        {
            *subject = SubjectReport {
                digest: subject.digest,
                ..SubjectReport::new(&weights, "openvino-weights", Vec::new(), Vec::new())
            };
        }
    }
}

#[derive(Default)]
struct Look {
    document: XmlDocument,
    count: u64,
    is_full: bool,
    /// Pickles among the texts, and the elements that they are in.
    pickles: Vec<(String, Vec<u8>)>,
    root: Option<Element>,
    /// What is directly in the root: the models of PMML.
    children: BTreeMap<String, u64>,
    /// The types of OpenVINO's layers.
    layers: BTreeMap<String, u64>,
    /// The program that wrote a PMML file, and its version.
    application: Option<(String, String)>,
}

impl Look {
    fn see(&mut self, part: &Part) {
        self.count += 1;
        if let Part::Text { element, content, .. } = part {
            if let Some(pickle) = pickle(content) {
                if self.pickles.len() < MAX_KEPT {
                    self.pickles.push((element.clone(), pickle));
                } else {
                    self.is_full = true;
                }
            }
            if !rules::xml::is_telling_text(element, content) {
                return;
            }
        }
        let Part::Element(element) = part else {
            return if self.document.parts.len() < MAX_KEPT {
                self.document.parts.push(part.clone());
            } else {
                self.is_full = true;
            };
        };
        match element.depth {
            0 => self.root = Some(element.clone()),
            1 => count(&mut self.children, &element.name),
            _ => {}
        }
        if element.name == "layer"
            && let Some(kind) = element.attribute("type")
        {
            count(&mut self.layers, kind);
        }
        if element.name == "Application" {
            let text = |name: &str| element.attribute(name).unwrap_or_default().to_owned();
            self.application = Some((text("name"), text("version")));
        }
        if rules::xml::is_telling(element) {
            if self.document.elements.len() < MAX_KEPT {
                self.document.elements.push(element.clone());
            } else {
                self.is_full = true;
            }
        }
    }

    fn tell(&self, context: &mut Context) -> &'static str {
        let Some(root) = &self.root else { return "xml" };
        let version = root.attribute("version").unwrap_or_default();
        match root.name.as_str() {
            "PMML" => {
                context.fact(FactKind::Format, "pmml", version);
                if let Some((name, version)) = &self.application {
                    context.fact(FactKind::Framework, name, version.as_str());
                }
                for (name, count) in self.children.iter().filter(|(name, _)| name.ends_with("Model")) {
                    context.fact(FactKind::Estimator, name, *count);
                }
                "pmml"
            }
            "net" if root.attribute("version").is_some() => {
                context.fact(FactKind::Format, "openvino", version);
                if let Some(name) = root.attribute("name") {
                    context.fact(FactKind::Architecture, name, Value::Null);
                }
                for (name, count) in self.layers.iter().take(100) {
                    context.fact(FactKind::Layer, name, *count);
                }
                "openvino"
            }
            name => {
                context.fact(FactKind::Property, "root", name);
                "xml"
            }
        }
    }
}

fn count(counts: &mut BTreeMap<String, u64>, name: &str) {
    if counts.len() < MAX_KEPT || counts.contains_key(name) {
        *counts.entry(name.to_owned()).or_default() += 1;
    }
}

/// The pickle that a text is, in base64: its protocol tells the first letters.
fn pickle(text: &str) -> Option<Vec<u8>> {
    if !text.strip_prefix("gA").is_some_and(|rest| rest.starts_with(|letter| ('I'..='X').contains(&letter))) {
        return None;
    }
    let plain: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
    STANDARD.decode(plain).ok()
}
