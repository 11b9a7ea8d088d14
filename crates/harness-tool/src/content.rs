//! What a file holds, told by its beginning: text, or what else.

/// How much of a file is looked at to tell text from other things, as git does.
pub(crate) const PROBE_BYTES: usize = 8 * 1024;

pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What files of well-known kinds begin with.
const KINDS: [(&[u8], &str); 17] = [
    (b"\x7fELF", "an ELF program or library"),
    (b"\xcf\xfa\xed\xfe", "a Mach-O program or library"),
    (b"MZ", "a Windows program or library"),
    (b"!<arch>\n", "an archive of object files"),
    (b"\xca\xfe\xba\xbe", "a Java class or a Mach-O program"),
    (b"\0asm", "WebAssembly"),
    (b"PK\x03\x04", "a ZIP archive, or one such as a JAR or DOCX"),
    (b"\x1f\x8b", "compressed with gzip"),
    (b"BZh", "compressed with bzip2"),
    (b"\xfd7zXZ\0", "compressed with xz"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"%PDF-", "a PDF"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"wOF2", "a font"),
];

/// Says what the content is where it is not meant to be read as lines: `bytes` has a NUL near its beginning.
pub(crate) fn not_text(bytes: &[u8]) -> Option<&'static str> {
    if !bytes[..bytes.len().min(PROBE_BYTES)].contains(&0) {
        return None;
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Some("UTF-16; `iconv -f UTF-16 -t UTF-8` shows it");
    }
    let known = KINDS.iter().find(|(magic, _)| bytes.starts_with(magic));
    Some(known.map_or("binary", |(_, kind)| kind))
}
