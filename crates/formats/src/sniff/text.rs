use super::Format;

/// Lines that are looked at.
const MAX_LINES: usize = 400;

/// Which text it is; none if it is no text.
pub(super) fn by_text(head: &[u8], size: u64) -> Option<Format> {
    let is_cut = size > head.len() as u64;
    let Some(text) = utf8(head, is_cut) else { return is_latin1(head).then_some(Format::Text) };
    let text = text.trim_start_matches('\u{feff}');
    if text.starts_with("#!") {
        return Some(Format::Script);
    }
    let text = text.trim_start();
    Some(by_start(text).unwrap_or_else(|| by_lines(text)))
}

fn by_start(text: &str) -> Option<Format> {
    let start = text.get(..text.floor_char_boundary(64))?.to_ascii_lowercase();
    if start.starts_with('<') {
        return markup(text, &start);
    }
    if start.starts_with("{%") || start.starts_with("{{") || start.starts_with("{#") {
        return Some(Format::Jinja);
    }
    let next = text.get(1..).map(str::trim_start).unwrap_or_default();
    let is_json = match text.as_bytes().first()? {
        b'{' => next.is_empty() || next.starts_with(['"', '}']),
        b'[' => {
            next.is_empty()
                || next.starts_with(['[', '{', '"', ']', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
                || ["true", "false", "null", "NaN"].iter().any(|word| next.starts_with(word))
        }
        _ => return None,
    };
    let has = |mark: &str| text.contains(mark);
    match is_json {
        true if has("\"cells\"") && (has("\"cell_type\"") || has("\"nbformat\"")) => Some(Format::Notebook),
        true => Some(Format::Json),
        false => None,
    }
}

fn markup(text: &str, start: &str) -> Option<Format> {
    if start.starts_with("<!doctype html") || start.starts_with("<html") {
        return Some(Format::Html);
    }
    // The root's own name, behind declarations and comments.
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let end = match rest {
            _ if rest.starts_with("<?") => "?>",
            _ if rest.starts_with("<!--") => "-->",
            _ if rest.starts_with("<!DOCTYPE") || rest.starts_with("<!doctype") => return Some(Format::Xml),
            _ => break,
        };
        let Some((_, behind)) = rest.split_once(end) else { return Some(Format::Xml) };
        rest = behind;
    }
    let name = rest.strip_prefix('<')?.split(|letter: char| letter.is_whitespace() || "/>".contains(letter)).next()?;
    let local = name.rsplit(':').next()?;
    if local.eq_ignore_ascii_case("html") {
        Some(Format::Html)
    } else if local == "PMML" {
        Some(Format::Pmml)
    } else {
        // Markdown, and templates with tags of their own, begin with `<` too. OpenVINO's graphs begin with `net`.
        (start.starts_with("<?xml") || name == "net").then_some(Format::Xml)
    }
}

fn by_lines(text: &str) -> Format {
    let lines: Vec<&str> = text.lines().take(MAX_LINES).collect();
    let has = |test: &dyn Fn(&str) -> bool| lines.iter().any(|line| test(line));
    let key = |name: &str| has(&|line| line.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with(':')));
    // Source code may hold such a document as a text.
    let is_table = telling(&lines).next().is_some_and(|line| {
        let name = line.split(':').next().unwrap_or_default();
        line == "---" || (name.len() < line.len() && is_identifier(name))
    });
    if is_table
        && key("flavors")
        && ["artifact_path", "mlflow_version", "model_id", "model_uuid", "run_id", "utc_time_created"]
            .iter()
            .any(|name| key(name))
    {
        Format::MlModel
    } else if is_table && key("dependencies") && (key("channels") || key("name")) {
        Format::CondaEnvironment
    } else if is_graph_text(text) {
        Format::GraphText
    } else if is_site_file(&lines) {
        Format::SiteFile
    } else if is_python(&lines) {
        Format::Python
    } else if is_requirements(&lines) {
        Format::Requirements
    } else {
        Format::Text
    }
}

/// The lines that say something.
fn telling<'t>(lines: &'t [&'t str]) -> impl Iterator<Item = &'t str> {
    lines.iter().copied().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
}

/// Fields at the root of TensorFlow's graphs: of `SavedModel`, `MetaGraphDef` and `GraphDef`.
const GRAPH_FIELDS: &[&str] = &[
    "asset_file_def",
    "collection_def",
    "graph_def",
    "library",
    "meta_graphs",
    "meta_info_def",
    "node",
    "object_graph_def",
    "saver_def",
    "signature_def",
    "versions",
];

/// Whether text is a TensorFlow graph in protobuf's text form: behind comments, its first word is a field of one.
#[must_use]
pub fn is_graph_text(text: &str) -> bool {
    let text = skip_comments(text.trim_start_matches('\u{feff}'));
    let end = text.find(|letter: char| !(letter.is_alphanumeric() || letter == '_')).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let rest = skip_comments(rest);
    if name == "saved_model_schema_version" {
        return rest.starts_with(':');
    }
    // The same words are keys of other texts, which have no brackets behind them.
    let rest = rest.strip_prefix(':').map_or(rest, skip_comments);
    GRAPH_FIELDS.contains(&name) && rest.starts_with(['{', '<'])
}

fn skip_comments(mut text: &str) -> &str {
    loop {
        text = text.trim_start();
        if !text.starts_with('#') {
            return text;
        }
        text = text.split_once('\n').map_or("", |(_, rest)| rest);
    }
}

/// Python's `site` runs lines that begin with `import`; the others are paths.
fn is_site_file(lines: &[&str]) -> bool {
    let runs = |line: &str| line.starts_with("import ") || line.starts_with("import\t");
    let goes_on = |line: &str| runs(line) && (line.contains(';') || line.contains('('));
    let is_path = |line: &str| !line.trim().contains([' ', '\t', '=', '(', '{', '<', ';']);
    telling(lines).any(goes_on) && telling(lines).all(|line| runs(line) || is_path(line))
}

/// Whether it begins as Python source does, behind comments and a text that documents it, and has a statement that
/// prose does not have.
fn is_python(lines: &[&str]) -> bool {
    let mut rest = telling(lines);
    let Some(mut first) = rest.next() else { return false };
    for quotes in ["\"\"\"", "'''"] {
        let Some(opened) = first.trim_start_matches(['r', 'u', 'b']).strip_prefix(quotes) else { continue };
        if !opened.contains(quotes) && !rest.by_ref().any(|line| line.contains(quotes)) {
            return false;
        }
        let Some(next) = rest.next() else { return false };
        first = next;
        break;
    }
    let is_strong = |line: &str| is_import(line) || is_definition(line);
    is_strong(first) || (is_assignment(first) || is_block(first)) && rest.any(is_strong)
}

fn is_import(line: &str) -> bool {
    let is_module = |name: &str| {
        !name.is_empty() && name.split('.').all(|part| part.is_empty() || is_identifier(part)) && name != "."
    };
    let mut words = line.split_whitespace();
    match (words.next(), words.next(), words.next(), words.next()) {
        (Some("from"), Some(module), Some("import"), Some(_)) => module.starts_with('.') || is_module(module),
        (Some("import"), Some(module), None | Some("as" | "#"), _) => is_module(module.trim_end_matches(';')),
        (Some("import"), Some(module), Some(_), _) => {
            module.strip_suffix([',', ';']).is_some_and(is_module) || module.contains(';')
        }
        _ => false,
    }
}

fn is_definition(line: &str) -> bool {
    let line = line.trim_start_matches("async ");
    let named = |rest: &str| {
        let end = rest.find(|letter: char| !(letter.is_alphanumeric() || letter == '_')).unwrap_or(rest.len());
        let (name, behind) = rest.split_at(end);
        is_identifier(name) && behind.trim_start().starts_with(['(', ':'])
    };
    line.strip_prefix("def ").is_some_and(named)
        || line.strip_prefix("class ").is_some_and(named)
        || line.strip_prefix('@').is_some_and(|name| is_identifier(name.split(['.', '(']).next().unwrap_or_default()))
        || line.starts_with("if __name__")
}

fn is_assignment(line: &str) -> bool {
    let Some((name, _)) = line.split_once('=') else { return false };
    is_identifier(name.split(':').next().unwrap_or_default().trim_end())
}

fn is_block(line: &str) -> bool {
    let starts = ["try:", "with ", "if ", "for ", "while "].iter().any(|start| line.starts_with(start));
    starts && line.trim_end().ends_with(':')
}

fn is_identifier(name: &str) -> bool {
    name.starts_with(|first: char| first.is_alphabetic() || first == '_')
        && name.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
}

/// Whether each line is one of pip's, and one at least is more than a word.
fn is_requirements(lines: &[&str]) -> bool {
    let mut is_telling = false;
    for line in telling(lines) {
        let line = line.split(" #").next().unwrap_or_default().trim();
        let end = line.find(|letter: char| !(letter.is_ascii_alphanumeric() || "-_.".contains(letter)));
        let (name, mut rest) = line.split_at(end.unwrap_or(line.len()));
        if line.starts_with("-") {
            let option = line.split([' ', '=']).next().unwrap_or_default();
            let short = matches!(option, "-r" | "-c" | "-e" | "-i" | "-f");
            if short || (option.starts_with("--") && option.len() > 3) {
                is_telling = true;
                continue;
            }
            return false;
        }
        if !name.starts_with(|first: char| first.is_ascii_alphanumeric()) {
            return false;
        }
        rest = rest.trim_start();
        if rest.starts_with('[') {
            let Some((_, behind)) = rest.split_once(']') else { return false };
            rest = behind.trim_start();
        }
        if ["==", ">=", "<=", "~=", "!=", "===", ">", "<"].iter().any(|sign| rest.starts_with(sign))
            || (rest.starts_with("@ ") && rest.contains("://"))
        {
            is_telling = true;
        } else if !(rest.is_empty() || rest.starts_with(';')) {
            return false;
        }
    }
    is_telling
}

/// UTF-8 without control characters other than white space. A character that the head's end cuts is no fault.
fn utf8(head: &[u8], is_cut: bool) -> Option<&str> {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() && is_cut => {
            std::str::from_utf8(head.get(..error.valid_up_to())?).ok()?
        }
        Err(_) => return None,
    };
    // Colours of a terminal's output, and letters of other tables that were taken for Unicode, are in many texts.
    let is_steering = |letter: char| matches!(letter, '\0'..='\u{6}' | '\u{e}'..='\u{1a}' | '\u{1c}'..='\u{1f}');
    (!text.contains(is_steering)).then_some(text)
}

/// Text in one of the encodings with one byte a character.
fn is_latin1(head: &[u8]) -> bool {
    head.iter().all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~' | 0x80..=0xff))
}
