use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use crate::{Finding, Report, SubjectReport};

/// The report as JUnit XML: a test suite, a test case for each file, a failure for each finding, an error where something was not
/// assessed; what was accepted is in a file's output.
///
/// # Errors
/// None of its own; the writer's signature allows one.
pub fn junit(report: &Report) -> io::Result<String> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let failures = report.subjects.iter().filter(|subject| !subject.findings.is_empty()).count();
    let errors = report.subjects.iter().filter(|subject| is_error(subject)).count();
    let counts = [("tests", report.subjects.len()), ("failures", failures), ("errors", errors)]
        .map(|(name, count)| (name, count.to_string()));
    let name = format!("{} {} scan", report.tool.name, report.tool.version);
    let attributes = || counts.iter().map(|(name, count)| (*name, count.as_str()));
    writer.create_element("testsuites").with_attributes(attributes()).write_inner_content(|writer| {
        writer
            .create_element("testsuite")
            .with_attribute(("name", name.as_str()))
            .with_attributes(attributes())
            .write_inner_content(|writer| report.subjects.iter().try_for_each(|subject| case(writer, subject)))?;
        Ok(())
    })?;
    let mut text = String::from_utf8(writer.into_inner()).map_err(io::Error::other)?;
    text.push('\n');
    Ok(text)
}

/// A file with findings is a failure, whatever else was not assessed.
fn is_error(subject: &SubjectReport) -> bool {
    subject.findings.is_empty() && !subject.not_assessed.is_empty()
}

fn case(writer: &mut Writer<Vec<u8>>, subject: &SubjectReport) -> io::Result<()> {
    let (name, kind) = (legal(&subject.path), legal(&subject.kind));
    let case = writer
        .create_element("testcase")
        .with_attributes([("classname", format!("scan.{kind}").as_str()), ("name", name.as_str())]);
    case.write_inner_content(|writer| {
        for finding in &subject.findings {
            outcome(writer, "failure", &finding.rule, &finding.message, &lines(finding))?;
        }
        for missed in &subject.not_assessed {
            let place = format!("at {}", missed.path);
            outcome(writer, "error", crate::NOT_ASSESSED, &missed.reason, &place)?;
        }
        let accepted = subject.accepted.iter().map(|accepted| {
            let until = accepted.expires.as_ref().map(|day| format!(" until {day}")).unwrap_or_default();
            format!("accepted{until} ({}): {}\n{}\n", accepted.reason, accepted.finding.rule, lines(&accepted.finding))
        });
        let accepted: String = accepted.collect();
        if !accepted.is_empty() {
            writer.create_element("system-out").write_text_content(BytesText::new(&legal(&accepted)))?;
        }
        Ok(())
    })?;
    Ok(())
}

fn outcome(writer: &mut Writer<Vec<u8>>, element: &str, kind: &str, message: &str, text: &str) -> io::Result<()> {
    writer
        .create_element(element)
        .with_attributes([("type", legal(kind).as_str()), ("message", legal(message).as_str())])
        .write_text_content(BytesText::new(&legal(text)))?;
    Ok(())
}

fn lines(finding: &Finding) -> String {
    let mut text = format!("{} at {}", finding.severity, finding.location.display());
    for line in &finding.trace {
        text.push_str("\ndoes ");
        text.push_str(line);
    }
    text
}

/// XML 1.0 has no way to write most control characters.
fn legal(text: &str) -> String {
    let is_legal = |character: char| {
        matches!(character, '\t' | '\n')
            || (character >= ' ' && !matches!(character, '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}'))
    };
    text.chars().map(|character| if is_legal(character) { character } else { '\u{fffd}' }).collect()
}

#[cfg(test)]
mod tests {
    use crate::report::tests::sample;

    #[test]
    fn a_case_for_each_file() {
        let expected = "\
<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<testsuites tests=\"3\" failures=\"1\" errors=\"1\">
  <testsuite name=\"sealyard 0.1.0 scan\" tests=\"3\" failures=\"1\" errors=\"1\">
    <testcase classname=\"scan.yaml\" name=\"model/MLmodel\">
    </testcase>
    <testcase classname=\"scan.zip\" name=\"model/m.zip\">
      <failure type=\"pickle-dangerous-global\" message=\"the stream calls posix.system\">critical at model/m.zip!data.pkl@0x2a
does posix.system(&apos;env &gt; \u{fffd}[2Jpwnd.txt&apos;)</failure>
    </testcase>
    <testcase classname=\"scan.hdf5\" name=\"model/x.h5\">
      <error type=\"not-assessed\" message=\"the format hdf5 is not supported\">at model/x.h5</error>
    </testcase>
  </testsuite>
</testsuites>
";
        assert_eq!(super::junit(&sample()).unwrap(), expected);
    }

    #[test]
    fn no_name_can_end_the_element_it_is_in() {
        let mut report = sample();
        report.subjects[1].path = "\"><failure/>]]>&x;".to_owned();
        report.subjects[1].findings[0].message = "</failure>\0".to_owned();
        let text = super::junit(&report).unwrap();
        let read = quick_xml::Reader::from_str(&text);
        let mut failures = 0;
        let mut reader = read;
        loop {
            match reader.read_event().unwrap() {
                quick_xml::events::Event::Start(start) => failures += usize::from(start.name().as_ref() == b"failure"),
                quick_xml::events::Event::Eof => break,
                _ => {}
            }
        }
        assert_eq!(failures, 1);
    }
}
