use std::fmt::Write as _;

use sealyard_core::{Severity, Verdict};

use crate::{Finding, Report};

const BOLD_RED: &str = "1;31";
const YELLOW: &str = "33";
const CYAN: &str = "36";
const GREEN: &str = "32";

/// The report as a tree, coloured when `color`.
///
/// Names and traces come out of hostile files: control and direction-changing characters are written as escapes.
#[must_use]
pub fn text(report: &Report, color: bool) -> String {
    let mut out = String::new();
    for subject in &report.subjects {
        let verdict = paint(color, verdict_color(subject.verdict), &format!("{:<12}", subject.verdict.to_string()));
        push(&mut out, format_args!("{verdict} {} ({})\n", clean(&subject.path), clean(&subject.kind)));
        for finding in &subject.findings {
            push_finding(&mut out, finding, color);
        }
        for accepted in &subject.accepted {
            let until = accepted.expires.as_ref().map(|day| format!(" until {day}")).unwrap_or_default();
            let (rule, reason) = (clean(&accepted.finding.rule), clean(&accepted.reason));
            push(&mut out, format_args!("  ├─ accepted{} [{rule}] {reason}\n", clean(&until)));
        }
        for missed in &subject.not_assessed {
            let label = paint(color, CYAN, "not assessed");
            push(&mut out, format_args!("  └─ {label} {}: {}\n", clean(&missed.path), clean(&missed.reason)));
        }
    }
    let summary = &report.summary;
    let verdict = paint(color, verdict_color(summary.verdict), &summary.verdict.to_string());
    push(
        &mut out,
        format_args!(
            "{verdict}: {} looked at: {} safe, {} suspicious, {} unsafe, {} not assessed\n",
            summary.subjects, summary.safe, summary.suspicious, summary.r#unsafe, summary.not_assessed
        ),
    );
    out
}

fn push_finding(out: &mut String, finding: &Finding, color: bool) {
    let severity = paint(color, severity_color(finding.severity), &finding.severity.to_string());
    push(out, format_args!("  ├─ {severity} [{}] {}\n", clean(&finding.rule), clean(&finding.message)));
    push(out, format_args!("  │    at   {}\n", clean(&finding.location.display())));
    for line in &finding.trace {
        push(out, format_args!("  │    does {}\n", clean(line)));
    }
    if let Some(help) = &finding.help {
        push(out, format_args!("  │    help {}\n", clean(help)));
    }
}

fn push(out: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = out.write_fmt(arguments);
}

fn paint(color: bool, code: &str, text: &str) -> String {
    if color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

fn verdict_color(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Unsafe => BOLD_RED,
        Verdict::Suspicious => YELLOW,
        Verdict::NotAssessed => CYAN,
        Verdict::Safe => GREEN,
    }
}

fn severity_color(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => BOLD_RED,
        Severity::Medium | Severity::Unknown => YELLOW,
        Severity::Info | Severity::Low => CYAN,
    }
}

pub(super) fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    for character in text.chars() {
        let steers = matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
        if character.is_control() || steers {
            cleaned.extend(character.escape_unicode());
        } else {
            cleaned.push(character);
        }
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use crate::report::tests::sample;

    #[test]
    fn a_person_can_read_it() {
        let expected = "\
safe         model/MLmodel (yaml)
unsafe       model/m.zip (zip)
  ├─ critical [pickle-dangerous-global] the stream calls posix.system
  │    at   model/m.zip!data.pkl@0x2a
  │    does posix.system('env > \\u{1b}[2Jpwnd.txt')
  │    help Do not load it.
not_assessed model/x.h5 (hdf5)
  └─ not assessed model/x.h5: the format hdf5 is not supported
unsafe: 3 looked at: 1 safe, 0 suspicious, 1 unsafe, 1 not assessed
";
        assert_eq!(super::text(&sample(), false), expected);
    }

    #[test]
    fn a_file_cannot_steer_the_terminal() {
        for color in [false, true] {
            assert!(!super::text(&sample(), color).contains("\u{1b}[2J"));
        }
    }
}
