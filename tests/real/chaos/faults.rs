//! What goes wrong: processes that are killed or frozen, a line that fails, a clock that jumps.

use std::{
    io::{BufRead as _, BufReader},
    os::unix::process::CommandExt as _,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use doudi_api::{permission::Role, proto::GetEnterpriseRequest};
use doudi_server::{clock::Ahead, config::Config, token};
use doudi_tests::{program, until, world::Ground as Servers};

use super::super::{
    load::{BOUND, ENTERPRISES, client},
    requests::now,
    views::killed::Chance,
};
use super::link::{Link, pass};

/// The longest time for which a process is frozen or the line fails, in milliseconds: longer than an
/// acknowledgement is waited for.
const SPAN_MAX: u64 = 6_000;
/// The longest time by which the line holds something up, in milliseconds.
const DELAY_MAX: u64 = 400;
/// How far a clock goes ahead at most, in seconds.
const AHEAD_MAX: u64 = 1_800;

/// Freezes the processes and says so; lets them go on when our pipe closes, however we end.
const FREEZE: &str = r#"
kill -STOP "$@"
echo frozen
read -r _
kill -CONT "$@"
"#;

/// Something that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    KillLog,
    KillDoudi,
    KillTables,
    FreezeLog,
    FreezeDoudi,
    FreezeTables,
    CutLine,
    SlowLine,
    DeafLine,
    ClockJumps,
}

/// How often each goes wrong in the short form.
pub(super) const OFTEN: [(Fault, usize); 10] = [
    (Fault::KillLog, 20),
    (Fault::KillDoudi, 20),
    (Fault::KillTables, 10),
    (Fault::FreezeLog, 2),
    (Fault::FreezeDoudi, 2),
    (Fault::FreezeTables, 2),
    (Fault::CutLine, 5),
    (Fault::SlowLine, 3),
    (Fault::DeafLine, 4),
    (Fault::ClockJumps, 10),
];

/// What there is to be broken.
pub(super) struct City {
    pub(super) servers: Servers,
    pub(super) link: Link,
    /// The program behind the line, with its settings and where it listens.
    pub(super) doudi: tokio::process::Child,
    pub(super) config: Config,
    pub(super) listen: std::net::SocketAddr,
    /// The clock of the instance in this process.
    pub(super) ahead: Ahead,
    /// How long it took each time until a program that was started again answered.
    pub(super) ready: Vec<Duration>,
}

impl City {
    /// Lets it go wrong, and mends it.
    pub(super) async fn suffer(&mut self, fault: Fault, chance: &mut Chance) {
        let span = Duration::from_millis(chance.up_to(SPAN_MAX));
        match fault {
            Fault::KillLog => {
                self.servers.nats.kill9().await.unwrap();
                self.servers.nats.restart().await.unwrap();
            }
            Fault::KillDoudi => {
                self.doudi.kill().await.unwrap();
                self.doudi = program::role(&self.config, self.listen, "all");
                self.answers().await;
            }
            Fault::KillTables => {
                self.servers.postgres.kill9().await.unwrap();
                self.servers.postgres.restart().await.unwrap();
            }
            Fault::FreezeLog => frozen(&[self.servers.nats.pid()], span).await,
            Fault::FreezeDoudi => frozen(&[self.doudi.id().unwrap()], span).await,
            Fault::FreezeTables => frozen(&family(self.servers.postgres.pid()), span).await,
            Fault::CutLine => self.link.cut(),
            Fault::SlowLine => {
                let delay = Duration::from_millis(chance.up_to(DELAY_MAX));
                self.link.slow(delay, span).await;
            }
            Fault::DeafLine => self.link.deafen(span).await,
            Fault::ClockJumps => {
                let seconds = i64::try_from(chance.up_to(AHEAD_MAX)).unwrap();
                // Back again, too, where it was further ahead before.
                self.ahead.set(now() + jiff::SignedDuration::from_secs(seconds));
            }
        }
    }

    /// Waits until the program that was just started answers a question about its tables.
    async fn answers(&mut self) {
        let began = Instant::now();
        let auditor = client(&self.servers, self.listen, &token::claims(Role::Auditor));
        let request =
            GetEnterpriseRequest { enterprise_id: ENTERPRISES[0].0.to_owned(), ..<_>::default() };
        let answered = until(BOUND, || async {
            auditor.enterprises.clone().get_enterprise(request.clone()).await.ok()
        });
        assert!(answered.await.is_some(), "doudi does not answer");
        self.ready.push(began.elapsed());
    }
}

/// A process and its children.
pub(in crate::real) fn family(parent: u32) -> Vec<u32> {
    let children = Command::new("ps").args(["-o", "pid=", "--ppid", &parent.to_string()]).output();
    let text = String::from_utf8(children.unwrap().stdout).unwrap();
    let children = text.split_whitespace().map(|pid| pid.parse().unwrap());
    std::iter::once(parent).chain(children).collect()
}

/// Freezes processes for as long as `span`.
async fn frozen(processes: &[u32], span: Duration) {
    let _frozen = Frozen::of(processes);
    pass(span).await;
}

/// Processes that are frozen until it is dropped, or we end in any other way. Some may be gone by then.
pub(in crate::real) struct Frozen {
    guard: Child,
}

impl Frozen {
    pub(in crate::real) fn of(processes: &[u32]) -> Self {
        let mut guard = Command::new("/bin/sh");
        guard.args(["-c", FREEZE, "freeze"]).args(processes.iter().map(ToString::to_string));
        guard.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
        let mut guard = guard.spawn().unwrap();
        let mut said = String::new();
        BufReader::new(guard.stdout.take().unwrap()).read_line(&mut said).unwrap();
        assert_eq!(said, "frozen\n");
        Self { guard }
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}
