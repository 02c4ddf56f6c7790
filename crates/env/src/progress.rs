/// What the build of an environment is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// Wheels are being fetched.
    Fetching {
        /// Wheels there already.
        done: usize,
        /// Wheels needed.
        total: usize,
    },
    /// Wheels are being hashed against the lock.
    Verifying {
        /// Wheels hashed.
        done: usize,
        /// Wheels needed.
        total: usize,
    },
    /// Wheels are being unpacked.
    Installing {
        /// Wheels unpacked.
        done: usize,
        /// Wheels needed.
        total: usize,
    },
    /// Modules are being compiled to byte code.
    Compiling,
    /// An environment built before is being hashed against its manifest.
    Checking {
        /// Files in it.
        files: usize,
    },
}
