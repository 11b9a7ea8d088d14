//! Paths inside the repository, parsed once and trusted afterwards.

use std::{ffi::OsStr, fmt, os::unix::ffi::OsStrExt, path::Path};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Why a text is not a path inside the repository.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// The path leads out of the repository.
    #[error("`{path}` is outside the repository: it resolves to `{resolved}`")]
    Outside {
        /// The path as it was given.
        path: String,
        /// Where it leads, seen from the repository's root.
        resolved: String,
    },
    /// The path is absolute and not below the repository's root.
    #[error("`{path}` is absolute and outside the repository")]
    Absolute {
        /// The path as it was given.
        path: String,
    },
    /// The path contains a NUL byte, which no file name can.
    #[error("the path contains a NUL byte")]
    Nul,
    /// The path or one of its components is longer than the system allows.
    #[error("the path is too long: {length} bytes")]
    TooLong {
        /// The length found.
        length: usize,
    },
}

/// The longest path accepted, as on Linux (`PATH_MAX`).
const PATH_BYTES_MAX: usize = 4096;

/// A path relative to the repository's root: normalised, inside, any bytes.
///
/// Shape: components joined by `/`, without empty, `.` or `..` components; the
/// root is the empty path. Says nothing about what the file system holds there:
/// links are met when the path is opened.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RepoPath(Vec<u8>);

impl RepoPath {
    /// Returns the repository's root.
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// Parses a path that is meant from the root, resolving `.` and `..` lexically.
    ///
    /// # Errors
    /// When the path is absolute, leads out of the repository, contains NUL or
    /// is too long.
    pub fn parse(path: impl AsRef<[u8]>) -> Result<Self, PathError> {
        Self::root().join(path)
    }

    /// Parses a path that may be absolute, given where the repository's root is.
    ///
    /// # Errors
    /// As [`RepoPath::parse`]; an absolute path must lie below `root`.
    pub fn parse_below(root: &Path, path: &str) -> Result<Self, PathError> {
        if !path.starts_with('/') {
            return Self::parse(path);
        }
        match Path::new(path).strip_prefix(root) {
            Ok(inside) => Self::parse(inside.as_os_str().as_bytes()),
            Err(_) => Err(PathError::Absolute {
                path: path.to_owned(),
            }),
        }
    }

    /// Follows `path` from this folder, lexically.
    ///
    /// # Errors
    /// As [`RepoPath::parse`].
    pub fn join(&self, path: impl AsRef<[u8]>) -> Result<Self, PathError> {
        let path = path.as_ref();
        let shown = || String::from_utf8_lossy(path).into_owned();
        if path.contains(&0) {
            return Err(PathError::Nul);
        }
        if path.starts_with(b"/") {
            return Err(PathError::Absolute { path: shown() });
        }
        let mut components: Vec<&[u8]> = self.components().collect();
        let mut above = 0_usize;
        for component in path.split(|&byte| byte == b'/') {
            match component {
                b"" | b"." => {}
                b".." if components.pop().is_none() => above += 1,
                b".." => {}
                name => components.push(name),
            }
        }
        let joined = components.join(&b'/');
        if above > 0 {
            let resolved = format!(
                "{}{}",
                "../".repeat(above),
                String::from_utf8_lossy(&joined)
            );
            return Err(PathError::Outside {
                path: shown(),
                resolved,
            });
        }
        if joined.len() > PATH_BYTES_MAX {
            return Err(PathError::TooLong {
                length: joined.len(),
            });
        }
        Ok(Self(joined))
    }

    /// Returns the bytes, components joined by `/`; empty for the root.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the path as the file system takes it, relative to the root; `.` for the root.
    pub fn as_path(&self) -> &Path {
        let bytes: &[u8] = if self.0.is_empty() { b"." } else { &self.0 };
        Path::new(OsStr::from_bytes(bytes))
    }

    /// Returns the path as text, with bytes that are no UTF-8 replaced.
    pub fn to_text(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }

    /// Iterates over the components, outermost first.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.0
            .split(|&byte| byte == b'/')
            .filter(|component| !component.is_empty())
    }

    /// Returns the folder that holds this path; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        if self.0.is_empty() {
            return None;
        }
        let end = self.0.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
        Some(Self(self.0[..end].to_vec()))
    }

    /// Returns the last component; `None` for the root.
    pub fn file_name(&self) -> Option<&[u8]> {
        self.components().next_back()
    }

    /// Whether this is the repository's root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this path is `folder` or lies below it.
    pub fn starts_with(&self, folder: &Self) -> bool {
        folder.is_root()
            || self
                .0
                .strip_prefix(folder.0.as_slice())
                .is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_root() {
            f.write_str(".")
        } else {
            f.write_str(&self.to_text())
        }
    }
}

impl fmt::Debug for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RepoPath({:?})", self.to_text())
    }
}

/// A string where the bytes are UTF-8, else an array of byte values, so that
/// every name round-trips through JSON.
impl Serialize for RepoPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => self.0.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for RepoPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PathVisitor)
    }
}

struct PathVisitor;

impl<'de> de::Visitor<'de> for PathVisitor {
    type Value = RepoPath;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a path inside the repository, as text or as an array of bytes")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<RepoPath, E> {
        RepoPath::parse(text).map_err(E::custom)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<RepoPath, A::Error> {
        let mut bytes: Vec<u8> = Vec::new();
        while let Some(byte) = items.next_element()? {
            bytes.push(byte);
        }
        RepoPath::parse(bytes).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(input: &str, expected: &str) {
        assert_eq!(
            RepoPath::parse(input).unwrap().to_text(),
            expected,
            "{input}"
        );
    }

    #[test]
    fn dots_are_resolved_lexically() {
        check("src/./a.rs", "src/a.rs");
        check("./src//a.rs/", "src/a.rs");
        check("src/../docs/a.md", "docs/a.md");
        check(".", "");
        check("a/b/../..", "");
    }

    #[test]
    fn what_leads_outside_names_where_it_leads() {
        let error = RepoPath::parse("src/../../other/f").unwrap_err();
        assert_eq!(
            error.to_string(),
            "`src/../../other/f` is outside the repository: it resolves to `../other/f`"
        );
        assert!(RepoPath::parse("/etc/passwd").is_err());
        assert_eq!(RepoPath::parse("a\0b"), Err(PathError::Nul));
    }

    #[test]
    fn an_absolute_path_below_the_root_is_inside() {
        let root = Path::new("/home/me/demo");
        assert_eq!(
            RepoPath::parse_below(root, "/home/me/demo/src/a")
                .unwrap()
                .to_text(),
            "src/a"
        );
        assert!(RepoPath::parse_below(root, "/home/me/demo2/src/a").is_err());
        assert!(RepoPath::parse_below(root, "/home/me/demo/../x").is_err());
    }

    #[test]
    fn prefixes_end_at_component_borders() {
        let path = RepoPath::parse("src/export/csv.rs").unwrap();
        assert!(path.starts_with(&RepoPath::parse("src/export").unwrap()));
        assert!(path.starts_with(&RepoPath::root()));
        assert!(!path.starts_with(&RepoPath::parse("src/exp").unwrap()));
    }

    proptest! {
        #[test]
        fn any_bytes_round_trip_through_json(bytes in proptest::collection::vec(1_u8..=255, 0..80)) {
            if let Ok(path) = RepoPath::parse(&bytes) {
                let json = serde_json::to_string(&path).unwrap();
                prop_assert_eq!(serde_json::from_str::<RepoPath>(&json).unwrap(), path);
            }
        }

        #[test]
        fn a_parsed_path_is_never_outside(text in "[a./]{0,30}") {
            if let Ok(path) = RepoPath::parse(&text) {
                prop_assert!(path.components().all(|component| component != b".." && component != b"."));
                prop_assert_eq!(RepoPath::parse(path.as_bytes()).unwrap(), path);
            }
        }
    }
}
