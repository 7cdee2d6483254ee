//! Months later: whatever was made up comes due. Every duty is carried out or refused, by hand and by the runner
//! at once, and all appeals are swept.

use std::time::Duration;

use doudi_domain::agenda::Duty;
use doudi_engine::react::{Agenda as _, Query};
use doudi_server::{agenda::StoredAgenda, clock::Ahead, parts::Parts, sweep::sweep};
use doudi_views::ViewName;
use jiff::SignedDuration;

use crate::real::requests::now;

/// By then nearly every clock has come to its end.
const LATER: SignedDuration = SignedDuration::from_hours(24 * 100);
/// How often is done what came due by what was done.
const TIMES: usize = 4;
/// The most that is done each time.
const DUE_MAX: usize = 1000;
const BOUND: Duration = Duration::from_secs(60);

/// Puts the clock forward and does all that is due.
pub(super) async fn all_is_due(parts: &Parts, ahead: &Ahead) {
    let before = parts.journal.last_position().await.unwrap();
    ahead.set(now() + LATER);
    let agenda = StoredAgenda(parts.views.clone());
    for _ in 0..TIMES {
        let end = parts.journal.last_position().await.unwrap();
        parts.views.wait(ViewName::Agenda, end, BOUND).await.unwrap();
        let until = Duty::KINDS.map(|kind| (kind, parts.engine.now())).to_vec();
        let page = agenda.due(&Query { until, after: None, limit: DUE_MAX }).await.unwrap();
        for due in &page.due {
            // What is refused is tried again by the runner; here it matters that it comes to an end.
            let _ = parts.engine.carry_out(&parts.vault, due).await;
        }
    }
    let after = parts.journal.last_position().await.unwrap();
    assert!(after > before, "nothing was due");
    sweep(parts, true).await.unwrap();
}
