//! Rules of XML: they look at what leads out of a document.

use sealyard_formats::xml::Element;

pub(crate) use crate::inspect::XmlDocument as Artifact;

group! { Artifact;
    xml_doctype,
    xml_foreign_function,
    xml_outside_file,
    xml_script,
    xml_unknown_operation,
}

/// Whether a rule looks at an element.
pub(crate) fn is_telling(element: &Element) -> bool {
    xml_foreign_function::is_telling(element)
        || xml_outside_file::is_telling(element)
        || xml_script::is_telling(element)
        || xml_unknown_operation::is_telling(element)
}

/// Whether a rule looks at a text in an element.
pub(crate) fn is_telling_text(element: &str, text: &str) -> bool {
    xml_script::is_telling_text(element, text)
}
