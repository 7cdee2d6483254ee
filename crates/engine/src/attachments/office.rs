//! Whether a zip archive is an office document (ECMA-376, part 2): read from its list of entries,
//! without unpacking anything.

/// The record at the end of an archive, and what one entry of the list begins with.
const END: &[u8] = b"PK\x05\x06";
const ENTRY: &[u8] = b"PK\x01\x02";

/// The fixed lengths of both, in bytes.
const END_BYTES: usize = 22;
const ENTRY_BYTES: usize = 46;

/// The longest comment that may follow the end record.
const COMMENT_BYTES_MAX: usize = 65_535;

/// The part that every office document has, and the end of the name of one that holds macros.
const CONTENT_TYPES: &[u8] = b"[Content_Types].xml";
const MACROS: &[u8] = b"vbaproject.bin";

/// Whether `content` is an office document whose main part lies in `folder`, and has no macros.
pub(super) fn is_package(content: &[u8], folder: &str) -> bool {
    let Some(names) = content.starts_with(b"PK\x03\x04").then(|| names(content)).flatten() else {
        return false;
    };
    let has_macros = names.iter().any(|name| name.to_ascii_lowercase().ends_with(MACROS));
    names.contains(&CONTENT_TYPES)
        && names.iter().any(|name| name.starts_with(folder.as_bytes()))
        && !has_macros
}

/// The names of all entries; none when this is no whole archive. What is so large that it needs
/// the 64-bit form is not read.
fn names(content: &[u8]) -> Option<Vec<&[u8]>> {
    let from = content.len().saturating_sub(END_BYTES + COMMENT_BYTES_MAX);
    let at = from + content.get(from..)?.windows(END.len()).rposition(|window| window == END)?;
    if at + END_BYTES + number(content, at + 20, 2)? != content.len() {
        return None;
    }
    let count = number(content, at + 10, 2)?;
    let mut at = number(content, at + 16, 4)?;
    let mut names = Vec::new();
    for _ in 0..count {
        if content.get(at..at + ENTRY.len())? != ENTRY {
            return None;
        }
        let name = number(content, at + 28, 2)?;
        let (extra, comment) = (number(content, at + 30, 2)?, number(content, at + 32, 2)?);
        names.push(content.get(at + ENTRY_BYTES..at + ENTRY_BYTES + name)?);
        at += ENTRY_BYTES + name + extra + comment;
    }
    Some(names)
}

/// The little-endian number of so many bytes at an offset.
fn number(content: &[u8], at: usize, bytes: usize) -> Option<usize> {
    let digits = content.get(at..at + bytes)?;
    Some(digits.iter().rev().fold(0, |number, digit| number << 8 | usize::from(*digit)))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn put(archive: &mut Vec<u8>, number: usize, bytes: usize) {
        archive.extend(&number.to_le_bytes()[..bytes]);
    }

    /// An archive with empty entries of these names.
    pub(crate) fn package(names: &[&str]) -> Vec<u8> {
        let (mut archive, mut list) = (Vec::new(), Vec::new());
        for name in names {
            let offset = archive.len();
            archive.extend(b"PK\x03\x04");
            archive.extend([0; 22]);
            put(&mut archive, name.len(), 2);
            put(&mut archive, 0, 2);
            archive.extend(name.as_bytes());
            list.extend(ENTRY);
            list.extend([0; 24]);
            put(&mut list, name.len(), 2);
            list.extend([0; 12]);
            put(&mut list, offset, 4);
            list.extend(name.as_bytes());
        }
        let offset = archive.len();
        archive.extend(&list);
        archive.extend(END);
        archive.extend([0; 4]);
        put(&mut archive, names.len(), 2);
        put(&mut archive, names.len(), 2);
        put(&mut archive, list.len(), 4);
        put(&mut archive, offset, 4);
        put(&mut archive, 0, 2);
        archive
    }

    #[test]
    fn the_folder_of_the_main_part_tells_the_kinds_apart() {
        let document = package(&["[Content_Types].xml", "_rels/.rels", "word/document2.xml"]);
        assert!(is_package(&document, "word/"));
        assert!(!is_package(&document, "xl/"));
        let commented = [&document[..document.len() - 2], b"\x03\0WPS"].concat();
        assert!(is_package(&commented, "word/"));
    }

    #[test]
    fn other_archives_and_documents_with_macros_are_refused() {
        let refused = [
            package(&[]),
            package(&["word/document.xml"]),
            package(&["[Content_Types].xml", "xl/workbook.xml"]),
            package(&["[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"]),
            package(&["[Content_Types].xml", "words/document.xml"]),
        ];
        for archive in refused {
            assert!(!is_package(&archive, "word/"));
        }
    }

    #[test]
    fn no_broken_archive_is_taken_for_a_whole_one_or_ends_the_program() {
        let whole = package(&["[Content_Types].xml", "word/document.xml"]);
        for end in 0..whole.len() {
            assert!(!is_package(&whole[..end], "word/"), "the first {end} bytes");
        }
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] = 0xff;
            is_package(&changed, "word/");
        }
    }
}
