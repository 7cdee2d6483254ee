//! Commands on what belongs to no enterprise but to the city: special campaigns, random draws.

use doudi_engine::Version;
use uuid::Uuid;

use super::{Fields, common};
use crate::error::Failure;

/// A command with what every command brings along.
#[derive(Debug)]
pub(crate) struct Order<I, C> {
    /// Chosen by the client, the same on every retry.
    pub(crate) command_id: Uuid,
    /// If given, the command is refused unless the stream is at this version.
    pub(crate) expected_version: Option<Version>,
    /// What it is about.
    pub(crate) id: I,
    /// The command, or what it is made from.
    pub(crate) command: C,
}

/// The order, unless something was wrong with a field.
pub(super) fn order<I, C>(
    fields: Fields,
    command_id: Option<Uuid>,
    expected_version: Option<u64>,
    id: Option<I>,
    command: Option<C>,
) -> Result<Order<I, C>, Failure> {
    let expected_version = common::version(expected_version);
    let order = || {
        let (command_id, id, command) = (command_id?, id?, command?);
        Some(Order { command_id, expected_version, id, command })
    };
    fields.finish(order())
}
