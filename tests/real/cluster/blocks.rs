//! What each server of the cluster has in its files, record by record, as no server shows it.

use std::{fs, path::Path};

use bytes::Bytes;
use doudi_journal::{Position, archive::Entry};

use super::{
    net::MACHINES,
    nodes::{LOG, Nodes},
};
use crate::real::views::corrupt::store::{Place, Store};

/// A part of a record with its name. The checksum is none: it depends on the block too, and each server ends its blocks
/// where it likes.
type Part = (&'static str, Vec<u8>);

/// Ends the servers. Each has in its files what the log says, and the same as the others to the bit.
pub(super) async fn assert_identical(nodes: &mut Nodes, log: &[Entry]) {
    nodes.stop().await;
    let servers: Vec<Vec<Vec<Part>>> =
        (0..MACHINES).map(|machine| kept(&nodes.store(machine))).collect();
    for (machine, records) in servers.iter().enumerate() {
        assert_eq!(records.len(), log.len(), "server {machine} has not as many records as the log");
        for ((record, first), entry) in records.iter().zip(&servers[0]).zip(log) {
            assert_eq!(told(record), *entry, "server {machine} has something else");
            let others = differing(record, first);
            let position = entry.position;
            assert!(others.is_empty(), "server {machine} differs at {position} in {others:?}");
        }
    }
}

/// Every record in a stopped server's folder, in the order of its blocks.
fn kept(folder: &Path) -> Vec<Vec<Part>> {
    let store = Store::new(folder, LOG);
    let blocks: Vec<Vec<u8>> = store.blocks().iter().map(|path| fs::read(path).unwrap()).collect();
    let parts = |place: &Place| -> Vec<Part> {
        let bytes = &blocks[place.block];
        let parts = place.parts.iter().filter(|(name, _)| *name != "checksum");
        parts.map(|(name, range)| (*name, bytes[range.clone()].to_vec())).collect()
    };
    store.places().iter().map(parts).collect()
}

/// The record as the log's API tells of it.
fn told(record: &[Part]) -> Entry {
    let part = |wanted: &str| &record.iter().find(|(name, _)| *name == wanted).unwrap().1;
    let text = |wanted| String::from_utf8(part(wanted).clone()).unwrap();
    let sequence: [u8; 8] = part("sequence").as_slice().try_into().unwrap();
    Entry {
        position: Position(u64::from_le_bytes(sequence)),
        subject: text("subject"),
        headers: headers(&text("headers")),
        payload: Bytes::from(part("payload").clone()),
    }
}

/// Names with values, in the order of the names.
fn headers(text: &str) -> Vec<(String, String)> {
    let mut lines = text.split_terminator("\r\n");
    assert_eq!(lines.next(), Some("NATS/1.0"));
    let pair = |line: &str| {
        let (name, value) = line.split_once(':').unwrap();
        (name.to_owned(), value.trim().to_owned())
    };
    let mut headers: Vec<_> = lines.filter(|line| !line.is_empty()).map(pair).collect();
    headers.sort_by(|one, other| one.0.cmp(&other.0));
    headers
}

/// The parts in which two records differ.
fn differing(one: &[Part], other: &[Part]) -> Vec<&'static str> {
    let pairs = one.iter().zip(other);
    pairs.filter(|(one, other)| one != other).map(|(one, _)| one.0).collect()
}
