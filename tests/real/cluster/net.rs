//! A net of the test's own for three machines: each in a network namespace, where this process may make some, and
//! all on loopback otherwise.

use std::{
    io::{BufRead as _, BufReader},
    net::Ipv4Addr,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

/// How many machines there are.
pub(super) const MACHINES: usize = 3;

/// Makes a bridge named `$1` with the addresses `$2.*`, and the namespaces on it; says so, and takes all of it away,
/// with whatever runs in it, when our pipe closes, however we end.
const NET: &str = r#"
away() {
    for i in 0 1 2; do
        for pid in $(ip netns pids $1-$i); do kill -KILL $pid; done
        ip link del $1-v$i
        ip netns del $1-$i
    done 2>/dev/null
    ip link del $1 2>/dev/null
}
up() {
    ip addr add $2.1/24 dev $1 && ip link set $1 up || return 1
    for i in 0 1 2; do
        ip netns add $1-$i && ip link add $1-v$i type veth peer name eth0 netns $1-$i || return 1
        ip link set $1-v$i master $1 && ip link set $1-v$i up || return 1
        ip netns exec $1-$i sh -c "ip link set lo up && ip addr add $2.1$i/24 dev eth0 && ip link set eth0 up" || return 1
    done
}
# Whose name is taken is another one's.
ip link add $1 type bridge || exit 1
up "$1" "$2" && echo up && read -r _
away "$1"
"#;

/// The net.
#[derive(Debug)]
pub(super) enum Net {
    /// Namespaces, whose names begin so, with addresses that begin so.
    Apart { name: String, addresses: [u8; 3], guard: Child },
    /// No machine can be cut off from the others.
    Loopback,
}

impl Net {
    pub(super) fn new() -> Self {
        // Another one of this process, or another process, has another.
        static NETS: AtomicU32 = AtomicU32::new(0);
        let number = std::process::id() + NETS.fetch_add(1, Ordering::Relaxed);
        let name = format!("dd{}", number % 1_000_000);
        let addresses = [10, 213, u8::try_from(number % 250).unwrap()];
        let [a, b, c] = addresses;
        let mut command = Command::new("/bin/sh");
        command.args(["-c", NET, "net", &name, &format!("{a}.{b}.{c}")]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let Ok(mut guard) = command.spawn() else { return Self::Loopback };
        let mut said = String::new();
        let stdout = guard.stdout.take().expect("a pipe");
        match BufReader::new(stdout).read_line(&mut said) {
            Ok(_) if said.trim() == "up" => Self::Apart { name, addresses, guard },
            Ok(_) | Err(_) => {
                // What cannot be made here is no reason to fail.
                let _ = guard.wait();
                Self::Loopback
            }
        }
    }

    /// The address of a machine.
    pub(super) fn address(&self, machine: usize) -> Ipv4Addr {
        match self {
            Self::Apart { addresses: [a, b, c], .. } => {
                Ipv4Addr::new(*a, *b, *c, 10 + u8::try_from(machine).unwrap())
            }
            Self::Loopback => Ipv4Addr::LOCALHOST,
        }
    }

    /// A command that runs a program on a machine.
    pub(super) fn on(&self, machine: usize, program: &str) -> Command {
        match self {
            Self::Apart { name, .. } => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", &format!("{name}-{machine}"), program]);
                command
            }
            Self::Loopback => {
                // It ends with us.
                let mut command = Command::new("setpriv");
                command.args(["--pdeathsig", "KILL", program]);
                command
            }
        }
    }

    /// Cuts a machine off from the other machines, not from its clients, or puts it back; false where that is not
    /// possible.
    pub(super) fn cut_off(&self, machine: usize, off: bool) -> bool {
        if matches!(self, Self::Loopback) {
            return false;
        }
        let change = if off { "add" } else { "del" };
        for other in (0..MACHINES).filter(|other| *other != machine) {
            let mut command = self.on(machine, "ip");
            command.args(["route", change, "blackhole", &self.address(other).to_string()]);
            assert!(command.status().unwrap().success(), "{command:?}");
        }
        true
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        if let Self::Apart { guard, .. } = self {
            drop(guard.stdin.take());
            let _ = guard.wait();
        }
    }
}
