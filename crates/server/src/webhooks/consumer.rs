//! One webhook at work: whether it is to deliver, and by which process.

use std::{
    ops::ControlFlow::{self, Break, Continue},
    sync::Arc,
    time::Duration,
};

use doudi_api::webhooks::{WebhookSecret, WebhookSecrets, is_permitted, point, selection};
use doudi_domain::{
    WebhookId,
    webhook::{Command, Known, Phase, Trouble, Webhook},
};
use doudi_engine::{Folded, Position, streams};
use doudi_views::timeline::{Selection, WatchItem};
use jiff::Timestamp;
use tokio::{sync::watch, time::sleep};

use super::{
    LOOK_INTERVAL, Settings,
    post::Client,
    record::Record,
    session::{End, Session},
};
use crate::parts::Parts;

/// How many enterprises that are to be sent again are looked at for something that can be.
const REDRIVEN_LOOKED_AT: usize = 16;

/// What all consumers share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) parts: Parts,
    pub(super) settings: Settings,
    pub(super) secrets: WebhookSecrets,
    pub(super) client: Client,
    /// Tells this process from others that deliver the same.
    pub(super) runner: [u8; 32],
}

impl Shared {
    /// The secrets that sign what is posted now: the present one, and for a while the one before, each under
    /// every master key.
    pub(super) fn signing(
        &self,
        id: WebhookId,
        known: &Known,
        now: Timestamp,
    ) -> Vec<WebhookSecret> {
        let good = generations(known, now, self.settings.secret_grace);
        good.flat_map(|generation| self.secrets.of(id, generation)).collect()
    }
}

/// The generations of the secrets that are good at `now`: the present one, and the one before for a while.
fn generations(known: &Known, now: Timestamp, grace: Duration) -> impl Iterator<Item = u32> {
    let is_fresh = known.rotated_at.is_some_and(|at| {
        // A clock that was set back says that it was only just.
        Duration::try_from(now.duration_since(at)).unwrap_or_default() < grace
    });
    let before = known.generation.checked_sub(1).filter(|_| is_fresh);
    std::iter::once(known.generation).chain(before)
}

/// One webhook at work.
#[derive(Debug)]
pub(super) struct Consumer {
    shared: Arc<Shared>,
    id: WebhookId,
}

impl Consumer {
    pub(super) fn new(shared: Arc<Shared>, id: WebhookId) -> Self {
        Self { shared, id }
    }

    /// Delivers until `until` turns true, its sender is gone, or the webhook is retired.
    pub(super) async fn run(self, mut until: watch::Receiver<bool>) {
        loop {
            if *until.borrow() {
                return;
            }
            let pause = match self.turn(&mut until).await {
                Break(()) => return,
                Continue(pause) => pause,
            };
            tokio::select! {
                _ = until.wait_for(|stop| *stop) => return,
                () = sleep(pause) => {}
            }
        }
    }

    /// Looks what is to be done and does it; then how long to wait before the next look.
    async fn turn(&self, until: &mut watch::Receiver<bool>) -> ControlFlow<(), Duration> {
        let Some(folded) = self.read().await else { return Continue(LOOK_INTERVAL) };
        let known = match folded.state.known() {
            Some(known) if known.phase != Phase::Retired => known,
            Some(_) | None => return Break(()),
        };
        if known.phase != Phase::Active {
            return Continue(LOOK_INTERVAL);
        }
        let record = Record::new(&self.shared, self.id, &folded);
        if !is_permitted(&known.subscription.endpoint, self.shared.settings.allow_http) {
            self.forbidden(record).await;
            return Continue(LOOK_INTERVAL);
        }
        match Box::pin(Session::new(&self.shared, known, record).run(until)).await {
            End::Changed => Continue(Duration::ZERO),
            End::Stopped => Break(()),
            End::Another => self.stand_by(until).await,
        }
    }

    async fn read(&self) -> Option<Arc<Folded<Webhook>>> {
        let stream = streams::webhook(self.id).ok()?;
        match self.shared.parts.engine.read::<Webhook>(&stream, Position::START).await {
            Ok(folded) => Some(folded),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, webhook = %self.id, "a webhook cannot be read, trying again");
                None
            }
        }
    }

    /// Says once that the configuration does not allow the address.
    async fn forbidden(&self, mut record: Record) {
        if record.known().is_some_and(|known| known.stalled.is_none()) {
            tracing::warn!(webhook = %self.id, "a webhook's address is not encrypted, which is not allowed");
            record.write(&Command::Stall(Trouble::Forbidden)).await;
        }
    }

    /// Another process delivers. It is left alone until events wait for a while without getting on, or the
    /// webhook delivers no more.
    async fn stand_by(&self, until: &mut watch::Receiver<bool>) -> ControlFlow<(), Duration> {
        let Settings { position_interval, timeout, .. } = self.shared.settings;
        let patience = position_interval.saturating_mul(2).saturating_add(timeout);
        tracing::info!(webhook = %self.id, "another process delivers for a webhook, standing by");
        let mut before = None;
        loop {
            if let Some(folded) = self.read().await {
                let active = folded.state.known().filter(|known| known.phase == Phase::Active);
                let Some(known) = active else { return Continue(Duration::ZERO) };
                let now = self.is_waited_for(known).await.then_some(folded.version);
                if now.is_some() && now == before {
                    return Continue(Duration::ZERO);
                }
                before = now;
            }
            tokio::select! {
                _ = until.wait_for(|stop| *stop) => return Break(()),
                () = sleep(patience) => {}
            }
        }
    }

    /// Whether events wait to be delivered, as far as can be told: those of enterprises that are set aside wait for
    /// nobody until they are to be sent again and can be.
    async fn is_waited_for(&self, known: &Known) -> bool {
        let Known { subscription, delivered, set_aside, .. } = known;
        let views = &self.shared.parts.views;
        let all = selection(subscription);
        let pending = views.pending(&all, point(*delivered), set_aside.keys(), 1).await;
        if pending.is_ok_and(|pending| pending.count > 0) {
            return true;
        }
        let again = set_aside.iter().filter(|(_, aside)| aside.redriving);
        for (enterprise, aside) in again.take(REDRIVEN_LOOKED_AT) {
            let own = Selection { enterprise: Some(enterprise.clone()), ..all.clone() };
            // Whoever follows is told nothing of what waits for a parked stream.
            let mut watch = views.watch_timeline(own, point(aside.first).before());
            if matches!(watch.next(Duration::ZERO).await, Ok(WatchItem::Entries(_))) {
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use doudi_domain::{
        Decider, Name,
        webhook::{Endpoint, Event, Place, Subscription},
    };

    use super::*;

    #[test]
    fn the_secret_before_is_good_for_a_while_and_no_older_one() {
        let subscription = Subscription {
            label: Name::parse("a partner").unwrap(),
            endpoint: Endpoint::parse("https://partner.example/").unwrap(),
            kinds: [].into(),
            areas: [].into(),
            after: Place { position: 0, ordinal: 0 },
        };
        let at: Timestamp = "2025-03-03T01:00:00Z".parse().unwrap();
        let grace = Duration::from_secs(60);
        let good = |webhook: &Webhook, second: i64| -> Vec<u32> {
            let now = at + jiff::SignedDuration::from_secs(second);
            generations(webhook.known().unwrap(), now, grace).collect()
        };
        let webhook = Webhook::Absent.evolve(&Event::WebhookRegistered { subscription });
        assert_eq!(good(&webhook, 0), [1]);
        let rotate = |generation| Event::SecretRotated { generation, at };
        let webhook = webhook.evolve(&rotate(2)).evolve(&rotate(3));
        assert_eq!([-5, 0, 59].map(|second| good(&webhook, second)), [[3, 2]; 3]);
        assert_eq!(good(&webhook, 60), [3]);
    }
}
