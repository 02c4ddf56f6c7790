//! Compares what a pickle does with the allow-lists. Each act that is not covered becomes one [`Concern`]; the rules
//! turn concerns into findings.

mod arguments;
mod arrow;
mod class;
mod distribution;
mod dtype;
mod inner;
mod legacy;
mod state;
mod torch;
mod trace;

use std::collections::{BTreeMap, HashSet};

use sealyard_core::Severity;
use sealyard_formats::pickle::{Act, Graph, Node, NodeId, Pickle};

use arguments::Refusal;
use class::Class;

use crate::allow::Shape;

pub(crate) use class::is_dangerous;
pub(crate) use legacy::end_of_storages;
pub(crate) use trace::render;

/// Most different names that are kept apart; what comes after them is counted as one.
const MAX_NAMES: usize = 4096;
/// Most calls that a concern's trace shows.
const MAX_CALLS: usize = 8;
/// Most concerns that are about no name.
const MAX_OTHERS: usize = 1024;

/// What is wrong, one for each rule that judges acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wrong {
    /// A name that is known to run code or to reach out.
    DangerousGlobal,
    /// A name on no list is called.
    UnlistedCall,
    /// A name on no list is only mentioned.
    UnlistedGlobal,
    /// A name that walks through attributes.
    DottedTraversal,
    /// What is imported or called is computed while loading.
    ComputedCallable,
    /// State or items are given to something that may not get any.
    BuildOnUnlisted,
    /// The loader is asked for an object by id.
    PersistentId,
    /// The registry of extension codes is used or changed.
    ExtensionRegistry,
}

/// One thing that a pickle does and no list covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Concern {
    pub(crate) wrong: Wrong,
    pub(crate) severity: Severity,
    pub(crate) offset: u64,
    /// Whether something is called, not only named.
    pub(crate) called: bool,
    /// The name that it is about, if it is about one.
    pub(crate) name: Option<String>,
    pub(crate) message: String,
    pub(crate) trace: Vec<String>,
}

impl Concern {
    /// Whether it is about a name in a package of which others are on a list.
    pub(crate) fn is_in_listed_package(&self) -> bool {
        let top = self.name.as_deref().and_then(|name| name.split('.').next());
        top.is_some_and(crate::allow::is_top_level)
    }
}

/// What is known about a refused name.
#[derive(Debug)]
struct Refused {
    wrong: Wrong,
    offset: u64,
    called: bool,
    trace: Vec<String>,
}

/// What the loader of this pickle does with persistent ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Persistence {
    /// Nothing: an id stops it, or reaches code that we do not know.
    Refused,
    /// PyTorch's: `('storage', class, key, location, size)` names a member of the zip, or a part behind the pickles.
    Torch,
    /// The numbers that PyTorch's oldest form has for its storages.
    TorchTar,
}

struct Judge<'p, 'a> {
    graph: &'p Graph<'a>,
    persistence: Persistence,
    names: BTreeMap<String, Refused>,
    others: Vec<Concern>,
    /// The worst severity in `others`.
    worst: Option<Severity>,
    states: HashSet<(NodeId, bool)>,
    built: HashSet<NodeId>,
    dtypes: dtype::Order,
    inner: &'p mut inner::Budget,
    /// Bytes of Arrow's offsets that may still be read.
    offsets: u64,
}

/// Every concern about `pickle`, in the order of the offsets.
pub(crate) fn judge(pickle: &Pickle<'_>, persistence: Persistence) -> Vec<Concern> {
    let persistence = if legacy::is_legacy(pickle) { Persistence::Torch } else { persistence };
    judge_within(pickle, persistence, &mut inner::Budget::default(), u64::MAX)
}

/// The same for what lies before `end`, of bytes that another pickle holds.
fn judge_within(pickle: &Pickle<'_>, persistence: Persistence, inner: &mut inner::Budget, end: u64) -> Vec<Concern> {
    let mut judge = Judge {
        graph: &pickle.graph,
        persistence,
        names: BTreeMap::new(),
        others: Vec::new(),
        worst: None,
        states: HashSet::new(),
        built: HashSet::new(),
        dtypes: dtype::Order::default(),
        inner,
        offsets: arrow::MAX_OFFSETS,
    };
    for event in pickle.events.iter().filter(|event| event.offset < end) {
        judge.act(event.offset, &event.act);
    }
    judge.kept(pickle);
    let mut concerns = judge.others;
    concerns.extend(judge.names.into_iter().map(|(name, refused)| refused.concern(&name)));
    concerns.sort_by_key(|concern| (concern.offset, concern.wrong));
    concerns
}

impl Judge<'_, '_> {
    fn act(&mut self, offset: u64, act: &Act) {
        let late = self.dtypes.follow(self.graph, act);
        match act {
            Act::Imported(node) => self.imported(offset, *node),
            Act::Called(node) => self.called(offset, *node),
            Act::Built { target, state } => {
                self.changed(offset, *target, Change::State);
                self.state(offset, *target, *state);
                // What has taken over a part of an object does not learn of a new state: numpy keeps using memory that
                // an array has given up, and reads elements by what their dtype once was.
                if !self.built.insert(*target) || late {
                    let message = format!("{} gets a state after it was finished", render(self.graph, *target));
                    self.other(Wrong::BuildOnUnlisted, Severity::High, offset, message, None);
                }
            }
            // The numbers that PyTorch's oldest form has for its tensors.
            Act::PersistentLoaded(node)
                if self.persistence == Persistence::TorchTar && torch::is_number(self.graph, *node) => {}
            Act::ItemsSet { target, .. } | Act::Appended { target, .. } | Act::Added { target, .. } => {
                self.changed(offset, *target, Change::Items);
            }
            Act::PersistentLoaded(node) => self.persistent(offset, *node),
            Act::ExtensionUsed(node) => {
                let message = format!("{} is looked up in the loader's own registry", render(self.graph, *node));
                self.other(Wrong::ExtensionRegistry, Severity::High, offset, message, None);
            }
            Act::BufferTaken(_) | Act::ArrayRead(_) => {}
            _ => self.other(
                Wrong::BuildOnUnlisted,
                Severity::High,
                offset,
                "an act that the scanner does not know".to_owned(),
                None,
            ),
        }
    }

    fn imported(&mut self, offset: u64, node: NodeId) {
        match Class::of(self.graph, node) {
            Class::Listed(_) => {}
            Class::Computed => {
                let message = "a module or name to import is computed while loading".to_owned();
                self.other(Wrong::ComputedCallable, Severity::Critical, offset, message, Some(node));
            }
            Class::Refused(wrong) => {
                self.refuse(node, wrong, offset);
            }
        }
    }

    fn refuse(&mut self, node: NodeId, wrong: Wrong, offset: u64) -> &mut Refused {
        let mut name = render(self.graph, node);
        if self.names.len() >= MAX_NAMES && !self.names.contains_key(&name) {
            name = "one of many other names".to_owned();
        }
        let refused = self.names.entry(name).or_insert(Refused { wrong, offset, called: false, trace: Vec::new() });
        refused.wrong = refused.wrong.min(wrong);
        refused
    }

    fn called(&mut self, offset: u64, node: NodeId) {
        let Node::Call { kind, callee, args, kwargs } = self.graph.get(node) else { return };
        let root = class::root(self.graph, *callee);
        match Class::of(self.graph, root) {
            Class::Refused(wrong) => self.refuse_call(root, wrong, offset, node),
            // Its import has been reported already.
            Class::Computed if self.graph.global(root).is_some() => {}
            Class::Listed(shape) if root == *callee => {
                match arguments::check(self.graph, shape, *kind, *args, *kwargs) {
                    Ok(()) => self.fits(offset, node, shape, *args),
                    Err(Refusal::Callee(wrong)) => self.refuse_call(root, wrong, offset, node),
                    Err(Refusal::Class(class, wrong)) => self.refuse_call(class, wrong, offset, node),
                    Err(Refusal::Arguments) => {
                        let message = format!(
                            "{} is called with arguments that its list does not allow",
                            render(self.graph, root)
                        );
                        self.other(Wrong::UnlistedCall, Severity::High, offset, message, Some(node));
                    }
                }
            }
            Class::Listed(_) | Class::Computed => {
                let message = "what is called is computed while loading".to_owned();
                self.other(Wrong::ComputedCallable, Severity::Critical, offset, message, Some(node));
            }
        }
    }

    /// Some functions give what they are called with to the new object as its state, or unpickle it.
    fn fits(&mut self, offset: u64, node: NodeId, shape: Shape, args: NodeId) {
        let name = self.graph.called(node).map_or("", |(_, name)| name);
        let place = arguments::state_place(shape, name);
        if let Some(state) = place.and_then(|place| self.graph.sequence(args)?.get(place).copied()) {
            self.state(offset, node, state);
        }
        if shape == Shape::ArrowArray && !arrow::is_whole(self.graph, args, &mut self.offsets) {
            let message = "an array of Arrow does not lie within its buffers".to_owned();
            self.other(Wrong::UnlistedCall, Severity::High, offset, message, Some(node));
        }
        if shape == Shape::TorchLoadFromBytes && !inner::is_harmless(self.graph, args, self.inner) {
            let root = match self.graph.get(node) {
                Node::Call { callee, .. } => *callee,
                _ => node,
            };
            self.refuse_call(root, Wrong::DangerousGlobal, offset, node);
        }
    }

    /// Names that may be called and no more must not be kept: who finds them in the model may call them with anything.
    fn kept(&mut self, pickle: &Pickle<'_>) {
        let is_tool = |id: NodeId| matches!(Class::of(self.graph, id), Class::Listed(shape) if shape.is_only_called());
        let tools: HashSet<_> = self
            .graph
            .iter()
            .filter(|(id, node)| matches!(node, Node::Global(_)) && is_tool(*id))
            .map(|(id, _)| id)
            .collect();
        if tools.is_empty() {
            return;
        }
        let values = pickle.streams.iter().filter_map(|stream| stream.stop.value());
        let mut kept: Vec<_> = values.filter(|id| tools.contains(id)).collect();
        for (id, node) in self.graph.iter() {
            let callee = match node {
                Node::Call { callee, .. } => Some(*callee),
                _ => None,
            };
            kept.extend(
                self.graph.children(id).into_iter().filter(|child| tools.contains(child) && callee != Some(*child)),
            );
        }
        for tool in kept {
            self.refuse(tool, Wrong::DangerousGlobal, self.graph.offset(tool));
        }
    }

    fn refuse_call(&mut self, name: NodeId, wrong: Wrong, offset: u64, call: NodeId) {
        let line = render(self.graph, call);
        let refused = self.refuse(name, wrong, offset);
        refused.called = true;
        if refused.trace.len() < MAX_CALLS && !refused.trace.contains(&line) {
            refused.trace.push(line);
        }
    }

    /// State or items are given to `target`.
    fn changed(&mut self, offset: u64, target: NodeId, change: Change) {
        let allowed = match class::made(self.graph, target) {
            Some(Class::Listed(shape)) => match change {
                Change::State => shape.takes_state(),
                Change::Items => shape.takes_items(),
            },
            // Its making has been reported already.
            Some(Class::Refused(_) | Class::Computed) => true,
            None => matches!(self.graph.get(target), Node::Array(_)),
        };
        if !allowed {
            let what = if change == Change::State { "state is" } else { "items are" };
            let message =
                format!("{what} given to {}, which is no object that may get any", render(self.graph, target));
            self.other(Wrong::BuildOnUnlisted, Severity::High, offset, message, None);
        }
    }

    fn state(&mut self, offset: u64, target: NodeId, state: NodeId) {
        let found = state::check(self.graph, target, state, &mut self.states).err().map(|error| error.to_string());
        let found = found.or_else(|| self.dtypes.check(self.graph, target, state).err().map(|error| error.to_string()));
        if let Some(why) = found {
            let message = format!("the state of {} {why}", render(self.graph, target));
            self.other(Wrong::BuildOnUnlisted, Severity::High, offset, message, None);
        }
    }

    fn persistent(&mut self, offset: u64, node: NodeId) {
        let Node::Persistent(id) = self.graph.get(node) else { return };
        let is_torch = legacy::storage(self.graph, *id).is_some() || class::torch_module(self.graph, *id).is_some();
        if self.persistence == Persistence::Torch && is_torch {
            return;
        }
        let message = format!("the loader is asked for the object {}", render(self.graph, *id));
        self.other(Wrong::PersistentId, Severity::Medium, offset, message, None);
    }

    fn other(&mut self, wrong: Wrong, severity: Severity, offset: u64, message: String, shown: Option<NodeId>) {
        // A flood of small concerns must not hide what counts.
        if self.others.len() >= MAX_OTHERS && self.worst >= Some(severity) {
            return;
        }
        self.worst = self.worst.max(Some(severity));
        let called = shown.is_some_and(|node| matches!(self.graph.get(node), Node::Call { .. }));
        let trace = shown.map(|node| render(self.graph, node)).into_iter().collect();
        // Only what is on a list is called with arguments that are looked at.
        let name = shown.filter(|_| wrong == Wrong::UnlistedCall).and_then(|node| self.graph.called(node));
        let name = name.map(|(module, name)| format!("{module}.{name}"));
        self.others.push(Concern { wrong, severity, offset, called, name, message, trace });
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    State,
    Items,
}

impl Refused {
    fn concern(self, name: &str) -> Concern {
        let Self { wrong, offset, called, mut trace } = self;
        let (wrong, severity, message) = match wrong {
            Wrong::DangerousGlobal if called => {
                (wrong, Severity::Critical, format!("loading calls {name}, which can run code or reach out"))
            }
            Wrong::DangerousGlobal => {
                (wrong, Severity::Critical, format!("the file refers to {name}, which can run code or reach out"))
            }
            Wrong::UnlistedCall | Wrong::UnlistedGlobal if called => {
                (Wrong::UnlistedCall, Severity::High, format!("loading calls {name}, which is on no list"))
            }
            Wrong::UnlistedCall | Wrong::UnlistedGlobal => {
                (Wrong::UnlistedGlobal, Severity::Medium, format!("the file refers to {name}, which is on no list"))
            }
            Wrong::DottedTraversal => {
                (wrong, Severity::High, format!("the name {name} walks through attributes to something on no list"))
            }
            Wrong::ExtensionRegistry => {
                (wrong, Severity::High, format!("{name} changes which names the extension codes stand for"))
            }
            other => (other, Severity::High, format!("{name} is refused")),
        };
        if trace.is_empty() {
            trace.push(name.to_owned());
        }
        Concern { wrong, severity, offset, called, name: Some(name.to_owned()), message, trace }
    }
}
