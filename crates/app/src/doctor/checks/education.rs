use super::super::facts::Facts;
use super::super::{Check, Findings};

pub(super) const CHECK: Check =
    Check { id: "education", title: "People are told what to do", controls: &["A11"], look };

fn look(_facts: &Facts, findings: &mut Findings) {
    findings
        .good("each refusal names its rule, and each rule is explained in the book; each check here says what to do");
}
