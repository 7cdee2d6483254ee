//! `peers`: what doudi does for one check-in, and what its log does for one record, beside other event stores that
//! promise the same: kept on disk when they say so, and nothing stored on top of what the writer has not seen.
//!
//! All are servers of their own on this machine, in one folder on one disk, with clients in this process that send the
//! same bytes. They have their rounds in turns, so that whatever else the machine does hits all alike.
//!
//! What each does for one operation:
//! - doudi, check-in: a call over gRPC with a JWT; the code that was scanned is opened, the limits are counted, the
//!   commit is appended to NATS JetStream if its stream has not moved, one sync of the file system for all who wait.
//!   It runs `serve` alone: what other processes do of every commit later, tables and duties, is not in it.
//! - UmaDB: its server as a library in a program that is built here; a call over gRPC; one event is appended unless there is an event with the enterprise's tag after the
//!   position that the client names, two syncs of its file for all who wait. Nothing is decided.
//! - doudi, log alone: the append of the first line, by the library, without a call, a token or a decision.
//! - JetStream: a publication that names the last sequence of its subject, on a server that syncs each message.
//! - postgres-es: a transaction that inserts one row under the next sequence of its aggregate, with PostgreSQL as it is
//!   shipped: a sync of the write-ahead log before the answer.

mod jetstream;
mod postgres;
mod umadb_peer;

use std::{
    error::Error,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;
use doudi_server::{
    bench::{
        append::Appends,
        checkin::stock::CheckIns,
        disk::Disk,
        report::Report,
        site::Site,
        work::{self, Pace, Side},
    },
    children::ToDisk,
};

/// What the program is called with to be a UmaDB server instead.
const UMADB: &str = "umadb";

/// Compares doudi with other event stores, on servers in a temporary folder.
#[derive(Debug, Parser)]
struct Arguments {
    /// The program `doudi`, built for release.
    #[arg(long, value_name = "FILE")]
    doudi: PathBuf,
    /// Write the figures as JSON to this file too.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// How many rounds, and how long ones.
    #[command(flatten)]
    pace: Pace,
}

fn main() -> ExitCode {
    let mut arguments = std::env::args();
    let ended = if arguments.by_ref().nth(1).as_deref() == Some(UMADB) {
        let own = [UMADB.to_owned()].into_iter().chain(arguments);
        umadb::parse_cli_options(own).and_then(umadb::start_server_with_cli_options)
    } else {
        compare(Arguments::parse())
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("peers: {}", doudi_server::report::chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

fn compare(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    // Two of what this is built from bring different ones, so one has to be chosen.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let folder = std::env::temp_dir().join(format!("doudi-peers-{}", std::process::id()));
    let compared = runtime.block_on(Box::pin(run(&folder, arguments)));
    drop(runtime);
    let removed = std::fs::remove_dir_all(&folder);
    compared?;
    Ok(removed?)
}

async fn run(folder: &Path, arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let Arguments { doudi, json, pace } = arguments;
    let doudi = doudi.canonicalize()?;
    let site = Site::open(&folder.join("doudi"), &doudi, "serve", ToDisk::Group).await?;
    let visits = pace.total() + 1;
    let mut check_ins = CheckIns::prepare(&site, visits).await?;
    // One check-in, for the bytes that all others store too.
    check_ins.round(1, 1).await?;
    let payload = site.newest().await?;
    println!(
        "each record has {} bytes; `peers` says at its head what is done for each",
        payload.len()
    );
    let umadb = umadb_peer::Peer::start(&folder.join("umadb"), visits, &payload).await?;
    let jetstream = jetstream::Peer::start(&folder.join("jetstream"), &payload).await?;
    let postgres = postgres::Peer::start(&folder.join("postgres"), visits, &payload).await?;
    let log = Appends { name: "doudi: log alone", journal: site.journal().await?, payload };
    let mut sides: [Box<dyn Side>; 5] = [
        Box::new(umadb),
        Box::new(check_ins),
        Box::new(log),
        Box::new(jetstream),
        Box::new(postgres),
    ];
    let mut report = Report::new("peers", json);
    let mut disk = Disk::open(folder)?;
    work::in_turns(&mut report, &mut disk, &mut sides, pace).await?;
    drop(sides);
    site.close().await?;
    Ok(report.end()?)
}
