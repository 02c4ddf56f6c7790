use std::collections::BTreeMap;

use sealyard_formats::names::names;
use sealyard_formats::npy::Npy;
use sealyard_formats::pickle::{Limits, Options, interpret};
use sealyard_formats::zip::{Archive, Member};
use sealyard_scan::FactKind;

use super::Flavor;
use super::flavor::below;
use crate::allow::{is_active_operator, is_operator};
use crate::context::Context;
use crate::inspect::pickle;
use crate::judge::Persistence;
use crate::rules;

/// What `torch.jit.save` writes: a program beside the weights.
pub(super) static FLAVOR: Flavor = Flavor { skips, member, ..Flavor::named("torchscript", is) };

/// Bytes that show whether numpy would read a member as an array.
const ARRAY_HEAD: u16 = 8;
/// Longest program.
const MAX_SOURCE: usize = 32 << 20;
/// Most operators that are told as facts.
const MAX_FACTS: usize = 64;
/// Namespaces of C++ classes that only hold packed weights.
const CLASSES: &[&str] = &["quantized", "rnn", "sparse", "xnnpack", "mkldnn", "onednn", "cudnn", "profiler"];
/// Operators that any value has as a method, and that reach out.
const METHODS: &[&str] = &["save", "from_file"];

/// A name in a TorchScript program that is more than a plain operator.
#[derive(Debug)]
pub(crate) enum ProgramName {
    /// An operator that reaches out of the model.
    Active { name: String, offset: u64 },
    /// An operator, class or module on no list.
    Unlisted { name: String, offset: u64 },
    /// Something that hides which operator is meant.
    Hidden { name: String, offset: u64 },
}

impl ProgramName {
    /// Where it stands.
    pub(crate) fn offset(&self) -> u64 {
        match self {
            Self::Active { offset, .. } | Self::Unlisted { offset, .. } | Self::Hidden { offset, .. } => *offset,
        }
    }
}

fn is(members: &[Member]) -> bool {
    let has = |test: &dyn Fn(&str) -> bool| members.iter().any(|member| below(member).is_some_and(test));
    has(&|rest| rest == "data.pkl") && has(&|rest| rest.starts_with("code/") || rest == "constants.pkl")
}

/// The tensors of constants are raw numbers as those of the weights are.
fn skips(archive: &Archive<'_>, member: &Member) -> bool {
    let key = below(member).and_then(|rest| rest.strip_prefix("constants/"));
    key.is_some_and(|key| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit()))
        && !archive.head(member, ARRAY_HEAD).is_ok_and(|head| Npy::matches(&head))
}

fn member(member: &Member, bytes: &[u8], context: &mut Context) -> bool {
    match below(member) {
        Some(rest) if rest.starts_with("code/") && rest.ends_with(".py") => {
            program(bytes, context);
            true
        }
        Some("constants.pkl" | "bytecode.pkl" | "mobile_debug_handles.pkl") => {
            pickle::inspect_bytes(bytes, Persistence::Torch, context);
            // The program of the mobile interpreter names its operators in a pickle.
            operators(bytes, context);
            true
        }
        Some("traced_inputs.pkl") => {
            pickle::inspect_bytes(bytes, Persistence::Torch, context);
            true
        }
        _ => false,
    }
}

/// Looks at each name of a program.
fn program(source: &[u8], context: &mut Context) {
    if source.len() > MAX_SOURCE {
        return context.miss(format!("the program is longer than {MAX_SOURCE} bytes"));
    }
    let names = names(source);
    if !context.step((names.used.len() + names.imports.len()) as u64) {
        return;
    }
    let mut counts: BTreeMap<(String, String), u64> = BTreeMap::new();
    let mut report = |concern: ProgramName| rules::torchscript::run(&concern, context.sink());
    if let Some(odd) = names.odd {
        report(ProgramName::Hidden { name: odd.to_owned(), offset: 0 });
    }
    for import in names.imports.iter().filter(|import| !import.text.starts_with("__torch__")) {
        report(ProgramName::Unlisted { name: format!("import {}", import.text), offset: import.offset });
    }
    for name in &names.used {
        let offset = name.offset;
        let parts: Vec<&str> = name.text.split('.').collect();
        let operator = match parts.as_slice() {
            ["torch", operator, ..] if !name.is_attribute => ("aten", *operator),
            ["ops", namespace, operator, ..] if !name.is_attribute => (*namespace, *operator),
            // A module of operators under another name could be called by that name.
            ["torch"] | ["ops", ..] if !name.is_attribute => {
                report(ProgramName::Hidden { name: name.text.clone(), offset });
                continue;
            }
            ["__torch__", "torch", "classes", namespace, ..] => {
                if !CLASSES.contains(namespace) {
                    report(ProgramName::Unlisted { name: name.text.clone(), offset });
                }
                continue;
            }
            [rpc] if rpc.starts_with("rpc_") && name.is_called => ("prim", *rpc),
            [first, rest @ ..] => {
                let mut methods = rest.iter().chain(name.is_attribute.then_some(first));
                if name.is_called && methods.any(|method| METHODS.contains(method)) {
                    report(ProgramName::Hidden { name: name.text.clone(), offset });
                }
                continue;
            }
            [] => continue,
        };
        *counts.entry((operator.0.to_owned(), operator.1.to_owned())).or_default() += 1;
        if let Some(concern) = judge(operator, offset) {
            report(concern);
        }
    }
    for ((namespace, name), count) in counts.into_iter().take(MAX_FACTS) {
        context.fact(FactKind::Layer, &format!("{namespace}::{name}"), count);
    }
}

fn judge((namespace, name): (&str, &str), offset: u64) -> Option<ProgramName> {
    let text = || format!("{namespace}::{name}");
    if is_active_operator(namespace, name) {
        Some(ProgramName::Active { name: text(), offset })
    } else if is_operator(namespace, name) {
        None
    } else {
        Some(ProgramName::Unlisted { name: text(), offset })
    }
}

/// Looks at the operators that a pickle names as `namespace::name`.
fn operators(bytes: &[u8], context: &mut Context) {
    let limits = Limits { opcodes: context.budget().opcodes, ..Limits::default() };
    let options = Options { limits, joblib: false };
    let pickle = interpret(bytes, &options);
    context.budget().spend_opcodes(pickle.opcodes);
    for (id, _) in pickle.graph.iter() {
        let Some((namespace, name)) = pickle.graph.str(id).and_then(|text| text.split_once("::")) else { continue };
        if let Some(concern) = judge((namespace, name), pickle.graph.offset(id)) {
            rules::torchscript::run(&concern, context.sink());
        }
    }
}
