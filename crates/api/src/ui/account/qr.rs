//! A QR code as SVG that stands in the page itself: no picture is fetched, and no script draws it.

use std::fmt::Write as _;

use qrcode::{Color, EcLevel, QrCode};

/// Modules of white around a code, without which readers do not find it.
const QUIET: usize = 4;

/// The code of a text. `None` for one that is too long for any.
pub(super) fn svg(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text.as_bytes(), EcLevel::M).ok()?;
    let width = code.width();
    let mut path = String::new();
    for (place, color) in code.to_colors().into_iter().enumerate() {
        if color == Color::Dark {
            let (x, y) = (place % width + QUIET, place / width + QUIET);
            let _ = write!(path, "M{x} {y}h1v1h-1z");
        }
    }
    let side = width + 2 * QUIET;
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" width=\"240\" height=\"240\" role=\"img\" \
         aria-label=\"QR code for an authenticator app\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{side}v{side}h-{side}z\"/><path fill=\"#000\" d=\"{path}\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_black_on_white_and_has_its_corners() {
        let drawn = svg("otpauth://totp/Sealyard:ada?secret=JBSWY3DPEHPK3PXP&issuer=Sealyard").unwrap();
        // The first finder pattern: dark at its corner and centre, light between.
        for (module, dark) in
            [("M4 4h1", true), ("M10 10h1", true), ("M5 5h1", false), ("M7 7h1", true), ("M3 4h1", false)]
        {
            assert_eq!(drawn.contains(module), dark, "{module}");
        }
        assert!(!drawn.contains("style") && !drawn.contains("script"));
        assert!(svg(&"x".repeat(5000)).is_none());
    }
}
