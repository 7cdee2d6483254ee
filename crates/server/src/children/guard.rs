//! Runs one server under a tiny shell that stops it when we are gone.
//!
//! The shell holds the reading end of a pipe whose writing end only we have. When we end in any way,
//! the pipe closes and the shell's reader stops the server in order (and removes its folder, if it
//! is scratch). A second pipe goes the other way: every process of the server inherits its writing
//! end, so its end of file means that the server *and all its children* are gone. The shell
//! and the server have a process group of their own, so that Ctrl-C reaches only us.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::watch;

use super::user::ServiceUser;
use super::{ChildError, STOP_WITHIN};

/// `$1` is the signal that stops the server in order, `$2` a folder to remove when our pipe has
/// closed (or nothing), and the rest is the server's command line.
///
/// The reader ignores SIGTERM once it is at work, because the shell ends it when the server is
/// gone, and it may still have a folder to remove.
const GUARD: &str = r#"
signal=$1 scratch=$2
shift 2
exec 3<&0 4>&1 </dev/null >/dev/null
"$@" 3<&- &
server=$!
echo "$server" >&4
(
    exec 4>&-
    read -r _ <&3
    trap '' TERM
    kill -s "$signal" "$server"
    tries=0
    while kill -0 "$server" && [ "$tries" -lt 300 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
    kill -s KILL "$server"
    [ -z "$scratch" ] || rm -rf "$scratch"
) 2>/dev/null &
reader=$!
exec 3<&-
wait "$server"
code=$?
kill "$reader" 2>/dev/null
exit "$code"
"#;

/// What to run under a guard.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    /// The server's name, for messages.
    pub(crate) name: &'static str,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    /// The working folder.
    pub(crate) folder: PathBuf,
    /// Where the server's standard error goes.
    pub(crate) log: PathBuf,
    /// The signal that stops the server in order.
    pub(crate) stop: Signal,
    /// A folder to remove when we ended without stopping the server.
    pub(crate) scratch: Option<PathBuf>,
    /// The user to run as; `None` is the caller.
    pub(crate) user: Option<ServiceUser>,
}

/// A server that runs under a guard.
///
/// Dropping it closes the pipe, so the server stops in order by itself a moment later.
#[derive(Debug)]
pub struct Guarded {
    name: &'static str,
    pid: u32,
    stop: Signal,
    /// `Some(status)` when all processes of the server are gone.
    ended: watch::Receiver<Option<String>>,
    /// The same for callers that cannot await; disconnects at the end.
    ended_blocking: Mutex<mpsc::Receiver<()>>,
    /// Kept only to be closed with us.
    _pipe: Option<ChildStdin>,
}

impl Guarded {
    /// Starts the server; it may not be ready yet.
    pub(crate) async fn start(order: &Order) -> Result<Self, ChildError> {
        let spawn_error = |source| ChildError::Spawn { program: order.program.clone(), source };
        let mut guard = command(order)?.spawn().map_err(spawn_error)?;
        let pipe = guard.stdin.take();
        let (started, has_started) = tokio::sync::oneshot::channel();
        let (end, ended) = watch::channel(None);
        let (end_blocking, ended_blocking) = mpsc::channel();
        std::thread::Builder::new()
            .name(format!("{} guard", order.name))
            .spawn(move || {
                let status = attend(guard, started);
                // Dropped last, so that nobody hears of the end before it is known.
                let _keep = end_blocking;
                end.send_replace(Some(status));
            })
            .map_err(spawn_error)?;
        let pid = has_started
            .await
            .map_err(|_| spawn_error(std::io::Error::other("the guard shell did not start it")))?;
        let ended_blocking = Mutex::new(ended_blocking);
        Ok(Self { name: order.name, pid, stop: order.stop, ended, ended_blocking, _pipe: pipe })
    }

    /// The server's own process id (not the guard's), also after its end.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// How the server ended, if it has.
    pub(crate) fn status(&self) -> Option<String> {
        self.ended.borrow().clone()
    }

    /// Waits until the server and all its processes are gone, and says how it ended.
    pub async fn exited(&self) -> String {
        let mut ended = self.ended.clone();
        match ended.wait_for(Option::is_some).await {
            Ok(status) => status.clone().unwrap_or_default(),
            Err(_) => "an unknown status".to_owned(),
        }
    }

    /// Stops the server in order; kills it when that takes more than 30 s.
    ///
    /// # Errors
    /// [`ChildError::Immortal`] when not even that helps.
    pub async fn stop(&self) -> Result<(), ChildError> {
        self.signal(self.stop);
        if tokio::time::timeout(STOP_WITHIN, self.exited()).await.is_ok() {
            return Ok(());
        }
        self.kill9().await
    }

    /// Kills the server with SIGKILL and waits until all its processes are gone.
    ///
    /// # Errors
    /// [`ChildError::Immortal`] when one is still there 30 s later.
    pub async fn kill9(&self) -> Result<(), ChildError> {
        self.signal(Signal::KILL);
        tokio::time::timeout(STOP_WITHIN, self.exited())
            .await
            .map(|_| ())
            .map_err(|_| ChildError::Immortal { name: self.name, pid: self.pid })
    }

    /// The same as [`Guarded::kill9`] for a `Drop`, which cannot await; waits for at most `at_most`.
    pub fn kill9_blocking(&self, at_most: Duration) {
        self.signal(Signal::KILL);
        // Nothing is ever sent: an error is either the end or the bound, and both are fine here.
        let ended = self.ended_blocking.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = ended.recv_timeout(at_most);
    }

    /// Ends PostgreSQL at once in a `Drop`: killed, it would leave its shared memory behind, of which a machine has only so
    /// many pieces. Waits for at most `at_most`, and then kills it.
    pub fn quit_blocking(&self, at_most: Duration) {
        self.signal(Signal::QUIT);
        let ended = self.ended_blocking.lock().unwrap_or_else(PoisonError::into_inner);
        let late = ended.recv_timeout(at_most) == Err(mpsc::RecvTimeoutError::Timeout);
        drop(ended);
        if late {
            self.kill9_blocking(at_most);
        }
    }

    /// Sends a signal unless the server is known to be gone (its id may belong to another by then).
    fn signal(&self, signal: Signal) {
        if self.status().is_some() {
            return;
        }
        if let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) {
            // An error means that it went away meanwhile, which is what callers wait for next.
            let _ = kill_process(pid, signal);
        }
    }
}

fn command(order: &Order) -> Result<Command, ChildError> {
    let log = OpenOptions::new().create(true).append(true).open(&order.log).map_err(|source| {
        ChildError::Folder { doing: "open the log", path: order.log.clone(), source }
    })?;
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", GUARD, "doudi-guard", signal_name(order.stop)])
        .arg(order.scratch.as_deref().unwrap_or(Path::new("")))
        .arg(&order.program)
        .args(&order.arguments)
        .current_dir(&order.folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(log)
        .process_group(0);
    if let Some(user) = &order.user {
        user.apply(&mut command);
    }
    Ok(command)
}

fn signal_name(signal: Signal) -> &'static str {
    if signal == Signal::INT { "INT" } else { "TERM" }
}

/// Reads the server's process id, then waits for the end of everything that holds the pipe.
fn attend(mut guard: Child, started: tokio::sync::oneshot::Sender<u32>) -> String {
    if let Some(stdout) = guard.stdout.take() {
        let mut lines = BufReader::new(stdout);
        if let Some(pid) = read_pid(&mut lines) {
            // The receiver is gone only if the caller gave up, and then the pipe is closed too.
            let _ = started.send(pid);
        }
        // Nothing more is written; an error is as good an end as end of file.
        let _ = lines.read_to_end(&mut Vec::new());
    }
    match guard.wait() {
        Ok(status) => status.to_string(),
        Err(error) => format!("an unknown status ({error})"),
    }
}

fn read_pid(lines: &mut BufReader<ChildStdout>) -> Option<u32> {
    let mut line = String::new();
    lines.read_line(&mut line).ok()?;
    line.trim().parse().ok()
}
