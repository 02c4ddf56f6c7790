use std::error::Error;

/// An error and all its causes, in one line.
#[must_use]
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io;

    #[test]
    fn causes_stand_behind_the_error() {
        #[derive(Debug, thiserror::Error)]
        #[error("the file can't be read")]
        struct Unreadable(#[source] io::Error);
        let error = Unreadable(io::Error::other("the disk is gone"));
        assert_eq!(super::with_causes(&error), "the file can't be read: the disk is gone");
    }
}
