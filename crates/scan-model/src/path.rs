/// Whether a path that a model names leads out of the folder that it is taken from: absolute paths of any system, `..`,
/// URLs, and what is no path.
pub(crate) fn leaves(path: &str) -> bool {
    let drive = |path: &str| matches!(path.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    path.starts_with(['/', '\\'])
        || path == "~"
        || path.starts_with("~/")
        || path.contains("://")
        || path.contains('\0')
        || path.starts_with("file:")
        || drive(path)
        || path.split(['/', '\\']).any(|part| part == "..")
}

#[cfg(test)]
mod tests {
    use super::leaves;

    #[test]
    fn only_what_stays_inside_passes() {
        for path in ["", "weights.bin", "./a/b.onnx", "a..b", "a/...", ".", "model.data~"] {
            assert!(!leaves(path), "{path}");
        }
        for path in [
            "/etc/passwd",
            "../a",
            "a/../../b",
            "a/..",
            "\\\\host\\a",
            "C:\\a",
            "d:a",
            "s3://a/b",
            "~/a",
            "a\0",
            "..\\a",
        ] {
            assert!(leaves(path), "{path}");
        }
    }
}
