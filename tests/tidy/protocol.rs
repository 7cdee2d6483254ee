//! The protocol: everything in it is commented, in full sentences.

use super::{File, files, none};

#[test]
fn protocol_is_commented() {
    let protos: Vec<File> = files().into_iter().filter(|f| f.path.ends_with(".proto")).collect();
    assert!(!protos.is_empty(), "no .proto file found");
    let mut complaints = Vec::new();
    for file in protos {
        let mut above = "";
        for (i, line) in file.text.lines().enumerate() {
            let line = line.trim();
            let at = format!("{}:{}", file.path, i + 1);
            if let Some(name) = declared(line) {
                match above.strip_prefix("//") {
                    None => complaints.push(format!(
                        "{at}: say above `{name}` what it means, with its unit and bounds"
                    )),
                    Some(comment) if !comment.ends_with(['.', ':', '?', ')']) => {
                        complaints
                            .push(format!("{at}: end the comment above `{name}` as a sentence"));
                    }
                    Some(_) => {}
                }
            }
            above = line;
        }
    }
    none(&complaints);
}

/// The name of what a line declares: a message, enum, service, rpc, oneof, field or enum value.
fn declared(line: &str) -> Option<&str> {
    let mut words = line.split([' ', '(']);
    let first = words.next()?;
    if ["message", "enum", "service", "rpc", "oneof"].contains(&first) {
        return words.next();
    }
    if first.starts_with("//") || ["option", "reserved", "extensions", "syntax"].contains(&first) {
        return None;
    }
    // A field or an enum value is `... name = number;` or `... name = number [`.
    let (name, number) = line.split_once(" = ")?;
    let digits = number.trim_start_matches('-').trim_end_matches([';', '[', ' ']);
    let numbered = number.split(['[', ';']).next().is_some_and(|n| n.trim().parse::<i64>().is_ok());
    (numbered && !digits.is_empty()).then(|| name.rsplit(' ').next()).flatten()
}
