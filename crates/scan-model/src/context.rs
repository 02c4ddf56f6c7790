use std::borrow::Cow;

use sealyard_core::ReadAt;
use sealyard_formats::sniff::Format;
use sealyard_scan::{Fact, FactKind, SubjectReport};
use serde_json::Value;

use crate::budget::Budget;
use crate::inspect;
use crate::sink::Sink;

/// Files inside each other that are looked into: an archive within an archive, a stream within it, a pickle within that.
const MAX_DEPTH: usize = 8;

/// What an inspector works with while it looks at one file or at something inside it: where it is, what it may still
/// spend, and where to say what it sees.
#[derive(Debug)]
pub(crate) struct Context {
    sink: Sink,
    budget: Budget,
    name: String,
    format: Format,
    is_pickle: bool,
}

impl Context {
    pub(crate) fn new(path: &str) -> Self {
        Self {
            sink: Sink::new(path),
            budget: Budget::default(),
            name: path.to_owned(),
            format: Format::Unknown,
            is_pickle: false,
        }
    }

    #[cfg(test)]
    pub(crate) fn with_budget(path: &str, budget: Budget) -> Self {
        Self { budget, ..Self::new(path) }
    }

    /// The report on all that was seen, of a file whose content is `kind`.
    pub(crate) fn finish(mut self, path: &str, kind: &str) -> SubjectReport {
        self.sink.end();
        SubjectReport::new(path, kind, self.sink.findings, self.sink.not_assessed).with_facts(self.sink.facts)
    }

    /// The name of the file or member that is looked at, with its folders. Content decides what it is; a name can only
    /// add a reading, never take one away.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What the content was told to be; inspectors of several formats ask for it.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Sets what the content was told to be.
    pub(crate) fn set_format(&mut self, format: Format) {
        self.format = format;
    }

    /// Whether the present content is a pickle as well, and was looked at as one.
    pub(crate) fn is_pickle(&self) -> bool {
        self.is_pickle
    }

    /// Sets whether the present content is a pickle as well.
    pub(crate) fn set_pickle(&mut self, is_pickle: bool) {
        self.is_pickle = is_pickle;
    }

    /// Where rules put what they find.
    pub(crate) fn sink(&mut self) -> &mut Sink {
        &mut self.sink
    }

    /// What may still be spent on this file and on all that is inside it.
    pub(crate) fn budget(&mut self) -> &mut Budget {
        &mut self.budget
    }

    /// The file or member was not, or not wholly, assessed.
    pub(crate) fn miss(&mut self, reason: impl Into<String>) {
        self.sink.miss(reason);
    }

    /// Something that the file holds, for the bill of materials.
    pub(crate) fn fact(&mut self, kind: FactKind, name: &str, value: impl Into<Value>) {
        self.sink.fact(Fact::new(kind, name, value));
    }

    /// Takes `count` steps for elements that are walked over; false, and not assessed, if there are too many.
    pub(crate) fn step(&mut self, count: u64) -> bool {
        let is_within = self.budget.step(count);
        if !is_within {
            self.miss("there is more in the file than is looked at");
        }
        is_within
    }

    /// All bytes of `data`, at most `limit`; none, and not assessed, if there are more or they can't be read. What is
    /// in memory is not copied.
    pub(crate) fn read<'d>(&mut self, data: &'d dyn ReadAt, limit: u64) -> Option<Cow<'d, [u8]>> {
        if let Some(bytes) = data.in_memory()
            && bytes.len() as u64 <= limit
        {
            return Some(Cow::Borrowed(bytes));
        }
        let limit = limit.min(self.budget.memory());
        match data.read_all(limit) {
            Ok(bytes) => Some(Cow::Owned(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::FileTooLarge => {
                self.miss(format!("it is larger than {limit} bytes"));
                None
            }
            Err(error) => {
                self.miss(format!("could not be read: {error}"));
                None
            }
        }
    }

    /// The first bytes of `data`, at most `count`; none, and not assessed, if they can't be read.
    pub(crate) fn head(&mut self, data: &dyn ReadAt, count: u64) -> Option<Vec<u8>> {
        let count = data.size().min(count);
        let mut head = vec![0; usize::try_from(count).unwrap_or_default()];
        match data.read_exact_at(0, &mut head) {
            Ok(()) => Some(head),
            Err(error) => {
                self.miss(format!("could not be read: {error}"));
                None
            }
        }
    }

    /// Runs `look` with all that it says placed inside `label`.
    pub(crate) fn inside<T>(&mut self, label: &str, look: impl FnOnce(&mut Self) -> T) -> T {
        self.sink.enter(label);
        let result = look(self);
        self.sink.leave();
        result
    }

    /// Looks at a file inside the present one as at any file, by its content, and gives its kind. `data` is a part of
    /// what is already held, or a [`Section`](sealyard_formats::Section) of it.
    pub(crate) fn nest(&mut self, name: &str, data: &dyn ReadAt) -> &'static str {
        let outer = std::mem::replace(&mut self.name, name.to_owned());
        let kind = self.look_inside(name, data);
        self.name = outer;
        kind
    }

    /// Looks at a file that was expanded out of the present one. Its bytes are taken from the budget, and are held while
    /// it is looked at.
    pub(crate) fn nest_expanded(&mut self, name: &str, bytes: &[u8]) -> &'static str {
        self.holding(bytes, |context| context.nest(name, &bytes))
    }

    /// Looks at what the present file is when its outer form is taken off, such as a compression. It keeps its name;
    /// `label` says where it is.
    pub(crate) fn unwrap(&mut self, label: &str, bytes: &[u8]) -> &'static str {
        self.holding(bytes, |context| context.look_inside(label, &bytes))
    }

    fn holding(&mut self, bytes: &[u8], look: impl FnOnce(&mut Self) -> &'static str) -> &'static str {
        let count = bytes.len() as u64;
        self.budget.spend_bytes(count);
        self.budget.hold(count);
        let kind = look(self);
        self.budget.release(count);
        kind
    }

    fn look_inside(&mut self, label: &str, data: &dyn ReadAt) -> &'static str {
        self.inside(label, |context| {
            if context.sink.depth() > MAX_DEPTH {
                context.miss("files are nested too deeply");
                return "unknown";
            }
            if !context.budget.nest() {
                context.miss("there are more files in it than are looked at");
                return "unknown";
            }
            let outer = context.format;
            let kind = inspect::content(data, context);
            context.format = outer;
            kind
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut out = std::io::Cursor::new(Vec::new());
        let mut archive = ::zip::ZipWriter::new(&mut out);
        for (name, content) in members {
            archive.start_file(*name, ::zip::write::SimpleFileOptions::default()).unwrap();
            archive.write_all(content).unwrap();
        }
        archive.finish().unwrap();
        out.into_inner()
    }

    fn missed(bytes: &[u8], budget: Budget) -> Vec<String> {
        let mut context = Context::with_budget("file", budget);
        let kind = inspect::content(&bytes, &mut context);
        let report = context.finish("file", kind);
        report.not_assessed.into_iter().map(|missed| format!("{}: {}", missed.path, missed.reason)).collect()
    }

    #[test]
    fn a_flood_of_nested_files_ends_in_one_budget() {
        // Each member is small and plain; together they are over the bound.
        let pickle = [b"\x80\x02".as_slice(), &b"N0".repeat(400), b"N."].concat();
        let members: Vec<_> = ["a", "b", "c", "d", "e", "f"].iter().map(|name| (*name, &pickle[..])).collect();
        let bytes = zip(&members);
        let budget = Budget::default();
        assert!(missed(&bytes, budget.clone()).is_empty());
        let few = Budget { opcodes: 2000, ..budget.clone() };
        let reasons = missed(&bytes, few);
        assert!(!reasons.is_empty() && reasons.iter().all(|reason| !reason.starts_with("file!a:")), "{reasons:?}");
        assert!(reasons.iter().any(|reason| reason.starts_with("file!f:")), "{reasons:?}");
        assert!(!missed(&bytes, Budget { nested: 5, ..budget.clone() }).is_empty());
        assert!(missed(&bytes, Budget { nested: 6, ..budget.clone() }).is_empty());
        let size = 6 * pickle.len() as u64;
        assert!(missed(&bytes, Budget { expanded: size, ..budget.clone() }).is_empty());
        assert!(!missed(&bytes, Budget { expanded: size - 1, ..budget.clone() }).is_empty());
        // One at a time is held, however many there are.
        let most = budget.memory();
        assert!(missed(&bytes, Budget { held: most - size / 6, ..budget.clone() }).is_empty());
        assert!(!missed(&bytes, Budget { held: most - size / 6 + 1, ..budget }).is_empty());
    }

    #[test]
    fn pickles_in_pickles_take_from_the_same_budget() {
        let inner = [b"\x80\x02".as_slice(), &b"N0".repeat(50), b"N."].concat();
        let constant = [b"C", &[u8::try_from(inner.len()).unwrap()][..], &inner].concat();
        let mut bytes = b"\x80\x04(".to_vec();
        bytes.extend(constant.repeat(40));
        bytes.extend(b"t.");
        assert!(missed(&bytes, Budget::default()).is_empty());
        let reasons = missed(&bytes, Budget { opcodes: 2000, ..Budget::default() });
        assert_eq!(reasons.len(), 1, "{reasons:?}");
    }

    #[test]
    fn what_lies_before_a_member_says_nothing_of_it() {
        let pickle = b"\x80\x02cposix\nsystem\nU\x04true\x85R.".as_slice();
        let tensors = b"\x40\0\0\0\0\0\0\0{\"a\": 1".as_slice();
        let rules = |members: &[(&str, &[u8])]| {
            let mut context = Context::new("file");
            inspect::content(&&zip(members)[..], &mut context);
            let mut rules: Vec<_> = context.sink().findings.iter().map(|finding| finding.rule.clone()).collect();
            rules.sort();
            rules
        };
        let found = rules(&[("a.pkl", pickle), ("b.safetensors", tensors)]);
        assert_eq!(found, rules(&[("b.safetensors", tensors), ("c.pkl", pickle)]));
        assert!(found.contains(&"safetensors-layout".to_owned()), "{found:?}");
    }

    #[test]
    fn steps_are_counted_once_for_all() {
        let mut context = Context::with_budget("file", Budget { steps: 10, ..Budget::default() });
        assert!(context.inside("a", |context| context.step(6)));
        assert!(!context.inside("b", |context| context.step(6)));
        assert!(!context.step(1));
        assert_eq!(context.sink().not_assessed.len(), 2);
    }
}
