//! What the health service says: each service serves while what it needs can be reached, so that tables are read
//! while the log is away and commands are taken while PostgreSQL is. A stopping process says so before it drains.

use doudi_api::{Api, Needs, SERVICES};
use tokio::time::{Duration, Instant, MissedTickBehavior, interval};
use tonic_health::{ServingStatus, server::HealthReporter};

use crate::{parts::Parts, stop::Stop};

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Looks until the process stops. The empty name, which stands for all, serves while any service does.
pub(crate) async fn watch(parts: Parts, api: Api, reporter: HealthReporter, stop: Stop) {
    let mut rhythm = interval(LOOK_EVERY);
    rhythm.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut away: Option<Instant> = None;
    loop {
        let stopping = tokio::select! {
            _ = rhythm.tick() => false,
            () = stop.wait() => true,
        };
        let (log, tables) = (parts.journal.connected(), parts.views.reachable());
        away = if log { None } else { away.or_else(|| Some(Instant::now())) };
        api.log_away(away);
        let status = |there: bool| match there && !stopping {
            true => ServingStatus::Serving,
            false => ServingStatus::NotServing,
        };
        reporter.set_service_status("", status(log || tables)).await;
        for (service, needs) in SERVICES {
            let there = match needs {
                Needs::Log => log,
                Needs::Tables => tables,
            };
            reporter.set_service_status(service, status(there)).await;
        }
        if stopping {
            return;
        }
    }
}
