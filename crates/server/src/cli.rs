//! The command line.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Parser, Subcommand};
use doudi_domain::DrawId;
use doudi_views::ViewName;
use jiff::civil::Date;

use crate::{bench, children::ToDisk};

/// Appeals that always find somebody, inspections that never exceed the limit.
#[derive(Debug, Parser)]
#[command(name = "doudi", version, about)]
pub struct Cli {
    /// A configuration file over the built-in defaults; DOUDI_ variables come over both.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// How a process that takes commands starts.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Start {
    /// Verify log, views and archive first, as `doudi verify` does, and start only where all is sound: after a disk or a
    /// copy of the log gave trouble.
    #[arg(long)]
    pub verify: bool,
}

/// What `doudi` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the gRPC API.
    Serve(Start),
    /// Build the views: read the log in order, write the tables.
    Project,
    /// Run the agenda: what has to happen without anybody asking.
    React,
    /// Copy the log into the folder `archive.folder` as it grows; stop when the two no longer agree.
    Archive,
    /// Serve, project and react in one process, and archive where `archive.folder` is set.
    All(Start),
    /// Bring the log back from the archive in `archive.folder`, every record at its position; given again, it goes on.
    Restore,
    /// Start a nats-server and a PostgreSQL of its own on loopback and run everything on them.
    Dev {
        /// Where their data are kept [default: a folder of this user].
        #[arg(long, value_name = "FOLDER")]
        data: Option<PathBuf>,
        /// The address to listen on [default: grpc.listen].
        #[arg(long, value_name = "ADDRESS")]
        listen: Option<SocketAddr>,
    },
    /// Run a working day on real servers in a temporary folder and tell its story.
    Demo,
    /// Simulate on real servers in a temporary folder, driven by a virtual clock.
    Simulate {
        /// What.
        #[command(subcommand)]
        what: Simulated,
    },
    /// Measure on servers in a temporary folder, beside something bare run in the same breath.
    Bench {
        /// Who forces the log to disk: doudi for all who wait, nats-server for each message, or nobody in time.
        #[arg(long, value_enum, default_value_t)]
        sync: ToDisk,
        /// Write the figures as JSON to this file too.
        #[arg(long, value_name = "FILE")]
        json: Option<PathBuf>,
        /// What.
        #[command(subcommand)]
        what: Measured,
    },
    /// Build views again from the log beside the live ones, and switch; given again, it goes on where it was broken off.
    Rebuild {
        /// The views, of timeline, visits, appeals, agenda, measures, alerts and ratings, or all.
        #[arg(value_parser = views, required = true)]
        views: Vec<Views>,
        /// Give up what was broken off, and leave the live views as they are.
        #[arg(long)]
        cancel: bool,
    },
    /// Build the views of this version to the end of the log, before it serves, while an older version does.
    Prepare,
    /// Drop the tables that older versions of the views have left, once none of them runs.
    DropOld,
    /// Let a halted view go on from where it stands, once the cause is mended.
    Resume {
        /// The view: timeline, visits, appeals, agenda, measures, alerts, ratings or webhooks.
        #[arg(value_parser = view)]
        view: ViewName,
    },
    /// Print the commits of a stream, oldest first, a JSON object a line.
    Replay {
        /// The stream, such as ev.91512081MA62K0260E.visits
        stream: String,
    },
    /// Look over all appeals for those that are with nobody.
    Sweep {
        /// Give what is found to the floor of the fallback chain: the area's desk, else the city desk.
        #[arg(long)]
        repair: bool,
    },
    /// Derive all open deadlines from the work calendar in force; only those move that are due earlier by it.
    Recompute,
    /// Random draws.
    Draw {
        /// What.
        #[command(subcommand)]
        what: Drawing,
    },
    /// Check every hash chain, every view against a fresh replay of the log, and the archive against the log.
    Verify,
    /// Replay the log under another document and tell what would have come out otherwise. Writes nothing; Ctrl-C ends it.
    WhatIf {
        /// The document in the JSON of a `PolicyDocument`: a frequency policy, a routing table, case types or a work calendar.
        #[arg(long, value_name = "FILE")]
        policy: PathBuf,
        /// Only decisions of this day or later, such as 2025-03-01.
        #[arg(long, value_name = "DATE")]
        from: Option<Date>,
        /// Only decisions of this day or earlier.
        #[arg(long, value_name = "DATE")]
        to: Option<Date>,
        /// Print the report as JSON, as the API has it.
        #[arg(long)]
        json: bool,
    },
    /// Destroy every key whose destruction the log orders, once more; after the vault came back from a backup.
    DestroyKeys,
    /// Show the effective configuration and whether it is safe to serve.
    Check,
    /// List the streams that a view could not apply, or try one of them again.
    Parked {
        /// The view whose stream to try again.
        #[arg(long, value_parser = view, requires = "stream")]
        retry: Option<ViewName>,
        /// The stream to try again.
        #[arg(long, requires = "retry")]
        stream: Option<String>,
    },
    /// Make a key for codes and print it as a JWK set, to be kept as `codes.keys_file`.
    CodeKey {
        /// The name of the key, 1 to 32 characters.
        id: String,
    },
    /// Issue a token for development, signed with the key of a development data folder.
    Token {
        /// agency_handler, unit_head, inspector, dispatcher, supervisor, enterprise, auditor or admin.
        #[arg(long)]
        role: String,
        /// The holder's unit.
        #[arg(long)]
        unit: Option<String>,
        /// The holder's areas; "*" for all.
        #[arg(long, value_delimiter = ',')]
        areas: Option<Vec<String>>,
        /// The holder's enterprise.
        #[arg(long)]
        enterprise: Option<String>,
        /// The data folder of `doudi dev` [default: a folder of this user].
        #[arg(long, value_name = "FOLDER")]
        data: Option<PathBuf>,
    },
}

/// What can be simulated.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum Simulated {
    /// A year of appeals: channels, topics, areas, delays, returns, objections, holidays.
    Appeals {
        /// Where chance begins: the same seed makes the same year.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// How many appeals are submitted in the year.
        #[arg(long, default_value_t = 500)]
        cases: u32,
    },
    /// A year of inspections: plans, limits, races, scans with and without a network, draws, campaigns, ratings.
    Inspections {
        /// Where chance begins: the same seed makes the same year, but for who wins a race.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// How many enterprises there are.
        #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
        enterprises: u32,
    },
}

/// What can be done with a random draw.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum Drawing {
    /// Redo a draw from the log, and compare it bit for bit with what was recorded.
    Verify {
        /// The draw, a UUID.
        #[arg(value_parser = draw)]
        draw: DrawId,
    },
}

/// What can be measured.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum Measured {
    /// Appends to the log alone, kept on disk, beside the same with the server's word alone.
    Append(bench::append::Scale),
    /// Check-ins over gRPC by many clients, and uploads of what devices kept.
    Checkin(bench::checkin::Scale),
    /// Appeals led from submission to a reply and read back, on empty tables and on full ones.
    Lifecycle(bench::lifecycle::Scale),
    /// Many clients for a time on all roles in one process, its memory, and the start of `serve` on a long log.
    Load(bench::load::Scale),
    /// Five times as many clients as all roles in one process have work for, beside as many as they have.
    Overload(bench::overload::Scale),
    /// Tables built from the log, beside bare inserts.
    Project(bench::project::Scale),
    /// Queries on tables of millions of rows, beside bare SQL.
    Query(bench::query::Scale),
    /// Deadlines: how late one fires while many are armed, and how fast many due at once are carried out.
    Timers(bench::timers::Scale),
    /// Documents tried out on a long log, beside reading it alone.
    WhatIf(bench::what_if::Scale),
}

impl Measured {
    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Append(_) => "append",
            Self::Checkin(_) => "checkin",
            Self::Lifecycle(_) => "lifecycle",
            Self::Load(_) => "load",
            Self::Overload(_) => "overload",
            Self::Project(_) => "project",
            Self::Query(_) => "query",
            Self::Timers(_) => "timers",
            Self::WhatIf(_) => "what-if",
        }
    }
}

/// Views on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Views {
    /// Every view.
    All,
    /// That one.
    One(ViewName),
}

impl Views {
    /// The views that are meant, each once.
    #[must_use]
    pub fn named(these: &[Self]) -> Vec<ViewName> {
        let meant =
            |view: &ViewName| these.contains(&Self::All) || these.contains(&Self::One(*view));
        ViewName::ALL.into_iter().filter(meant).collect()
    }
}

fn views(name: &str) -> Result<Views, String> {
    if name == "all" { Ok(Views::All) } else { view(name).map(Views::One) }
}

fn draw(text: &str) -> Result<DrawId, String> {
    DrawId::parse(text).map_err(|invalid| format!("a draw's id {invalid}"))
}

fn view(name: &str) -> Result<ViewName, String> {
    ViewName::parse(name).ok_or_else(|| {
        let known: Vec<&str> = ViewName::ALL.iter().map(|view| view.as_str()).collect();
        format!("there is no view {name}; the views are {}", known.join(", "))
    })
}
