//! How long the disk takes to keep something: what every figure stands beside.

use std::{
    fs::File,
    io::{self, Write},
    path::Path,
    time::{Duration, Instant},
};

use super::{BenchError, measured, report::Figure, work::percentile};

/// How often a file is forced to disk in one look.
const FILE_SYNCS: usize = 40;
/// How often the whole file system is.
const SYSTEM_SYNCS: usize = 10;
/// What is written before each, in bytes.
const BLOCK: usize = 4096;

/// A file beside what is measured, on the same file system: a bench has log and tables in folders beside it.
#[derive(Debug)]
pub struct Disk {
    folder: File,
    file: File,
}

/// How long it took, each time.
#[derive(Debug, Clone, Default)]
pub struct Latencies {
    file: Vec<Duration>,
    system: Vec<Duration>,
}

impl Disk {
    /// A file in `folder`, which exists.
    ///
    /// # Errors
    /// [`BenchError::Measured`] when it cannot be made.
    pub fn open(folder: &Path) -> Result<Self, BenchError> {
        let file = File::create(folder.join("disk-probe")).map_err(measured)?;
        Ok(Self { folder: File::open(folder).map_err(measured)?, file })
    }

    /// Forces to disk whatever waits for it, so that nothing of the round before is paid for in the next,
    /// then measures. Blocks for some dozens of syncs.
    ///
    /// # Errors
    /// [`BenchError::Measured`] when the disk fails.
    pub fn look(&mut self) -> Result<Latencies, BenchError> {
        let mut look = || -> io::Result<Latencies> {
            sync_system(&self.folder)?;
            let mut found = Latencies::default();
            for _ in 0..FILE_SYNCS {
                self.file.write_all(&[0; BLOCK])?;
                let began = Instant::now();
                self.file.sync_data()?;
                found.file.push(began.elapsed());
            }
            for _ in 0..SYSTEM_SYNCS {
                self.file.write_all(&[0; BLOCK])?;
                let began = Instant::now();
                sync_system(&self.folder)?;
                found.system.push(began.elapsed());
            }
            Ok(found)
        };
        tokio::task::block_in_place(&mut look).map_err(measured)
    }
}

#[cfg(target_os = "linux")]
fn sync_system(folder: &File) -> io::Result<()> {
    Ok(rustix::fs::syncfs(folder)?)
}

#[cfg(not(target_os = "linux"))]
fn sync_system(folder: &File) -> io::Result<()> {
    folder.sync_all()
}

impl Latencies {
    /// Takes in another look.
    pub fn add(&mut self, other: Self) {
        self.file.extend(other.file);
        self.system.extend(other.system);
    }

    /// In the middle and at the slow end, in milliseconds: of one file, and of the file system. Not numbers where
    /// nobody looked.
    #[must_use]
    pub fn figures(&self) -> [Figure; 3] {
        let (mut file, mut system) = (self.file.clone(), self.system.clone());
        file.sort_unstable();
        system.sort_unstable();
        [
            ("fdatasync p50 ms", percentile(&file, 50)),
            ("fdatasync p99 ms", percentile(&file, 99)),
            ("syncfs p50 ms", percentile(&system, 50)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::bench::report::Report;

    /// One that took so many seconds each time, and ten times as many for the file system.
    fn look(seconds: impl Iterator<Item = u64> + Clone) -> Latencies {
        let system = seconds.clone().map(|seconds| Duration::from_secs(10 * seconds)).collect();
        Latencies { file: seconds.map(Duration::from_secs).collect(), system }
    }

    #[test]
    fn every_line_stands_beside_all_looks_around_it() {
        let file = std::env::temp_dir().join(format!("doudi-disk-{}.json", std::process::id()));
        let mut report = Report::new("tried", Some(file.clone()));
        report.beside([look((51..=101).rev()), look(1..=50)]);
        report.line("first", "one", &[("rate/s", 1.5)]);
        report.line("first", "two", &[("rate/s", 2.5)]);
        report.beside([look(7..=7)]);
        report.line("second", "three", &[("ms", 2.0)]);
        report.end().unwrap();
        let told: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        std::fs::remove_file(&file).unwrap();
        for at in [0_usize, 1] {
            let disk = &told["lines"][at]["disk"];
            assert_eq!(disk["fdatasync p50 ms"], 51_000.0);
            assert_eq!(disk["fdatasync p99 ms"], 100_000.0);
            assert_eq!(disk["syncfs p50 ms"], 510_000.0);
        }
        assert_eq!(told["lines"][2]["disk"]["fdatasync p99 ms"], 7_000.0);
        assert_eq!(told["lines"][2]["figures"].as_object().unwrap().len(), 1);
    }
}
