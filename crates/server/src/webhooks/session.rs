//! One webhook while it delivers: reads events, sends them, and acts on the answers. All of it happens in one
//! task, the posts aside.

use std::{collections::HashMap, sync::Arc, time::Duration};

use doudi_api::webhooks::{place, point, posted, selection};
use doudi_domain::{
    EnterpriseId,
    webhook::{Command, Known, PauseCause, Phase, Rejection, Trouble},
};
use doudi_views::timeline::{Entry, Point, Selection};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, Interval, MissedTickBehavior, interval, sleep_until, timeout},
};

use super::{
    LOOK_INTERVAL, backoff,
    circuit::Circuit,
    consumer::Shared,
    lanes::{Lanes, Tries},
    metrics, of_panic,
    post::Outcome,
    reader::Reader,
    record::{Look, Record, Written},
};

mod aside;

/// So many failures in a row are put on record.
const STALLED_FAILURES: u32 = 3;
/// So many positions without an event are put on record, so that nobody goes that way again.
const FAR: u64 = 20_000;
/// An event that failed so often, while so many of others got through since the first time, counts as
/// refused: it is not the receiver that is down. The window leaves room for them.
const FAILURES_MAX: u32 = 5;
const OVERTAKEN_MAX: u64 = 500;
/// How long what is on its way is waited for at the end.
const DRAIN_MAX: Duration = Duration::from_secs(2);

/// Why it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// An operator or the receiver changed something: look again.
    Changed,
    /// The process stops.
    Stopped,
    /// Another process delivers.
    Another,
}

/// What is sent again of one enterprise.
struct Redrive {
    enterprise: EnterpriseId,
    reader: Reader,
}

/// One webhook while it delivers.
pub(super) struct Session<'a> {
    shared: &'a Shared,
    record: Record,
    selection: Selection,
    reader: Reader,
    redrive: Option<Redrive>,
    /// Whose turn it was last to be sent again.
    last_redriven: Option<EnterpriseId>,
    /// Up to where the events of an enterprise were sent again, as long as the others have not got there.
    redriven: HashMap<EnterpriseId, Point>,
    lanes: Lanes<Arc<Entry>>,
    circuit: Circuit,
    /// Whether the receiver took or refused an event since it failed last.
    is_up: bool,
    posts: JoinSet<(EnterpriseId, Outcome)>,
    ticks: Interval,
    /// When it was put on record last how far it got.
    recorded: Option<Instant>,
    /// Whether something was delivered since.
    progressed: bool,
}

/// What happened next.
enum Happened {
    Read(Vec<Arc<Entry>>),
    ReadAgain(Vec<Arc<Entry>>),
    Answered(EnterpriseId, Outcome),
    Woken,
    Tick,
    Stop,
}

impl<'a> Session<'a> {
    pub(super) fn new(shared: &'a Shared, known: &Known, record: Record) -> Self {
        let selection = selection(&known.subscription);
        let watch = shared.parts.views.watch_timeline(selection.clone(), point(known.delivered));
        let mut ticks = interval(LOOK_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            shared,
            record,
            selection,
            reader: Reader::new(watch),
            redrive: None,
            last_redriven: None,
            redriven: HashMap::new(),
            lanes: Lanes::default(),
            circuit: Circuit::default(),
            is_up: false,
            posts: JoinSet::new(),
            ticks,
            recorded: None,
            progressed: false,
        }
    }

    /// Delivers until something ends it.
    pub(super) async fn run(mut self, until: &mut watch::Receiver<bool>) -> End {
        loop {
            self.begin_redrive();
            self.send();
            let end = match self.next(until).await {
                Happened::Read(entries) => match self.read(entries) {
                    None => self.note_withheld().await,
                    end => end,
                },
                Happened::ReadAgain(entries) => self.read_again(entries).await,
                Happened::Answered(enterprise, outcome) => {
                    self.answered(&enterprise, outcome).await
                }
                Happened::Woken => None,
                Happened::Tick => self.tick().await,
                Happened::Stop => Some(End::Stopped),
            };
            if let Some(end) = end {
                return self.finish(end).await;
            }
        }
    }

    async fn next(&mut self, until: &mut watch::Receiver<bool>) -> Happened {
        let now = Instant::now();
        let wakes_at = self.wakes_at(now);
        let has_room = self.lanes.has_room();
        let Self { reader, redrive, lanes, posts, ticks, .. } = self;
        let mut again =
            redrive.as_mut().filter(|redrive| lanes.has_room_again(&redrive.enterprise));
        tokio::select! {
            _ = until.wait_for(|stop| *stop) => Happened::Stop,
            Some(ended) = posts.join_next() => match ended {
                Ok((enterprise, outcome)) => Happened::Answered(enterprise, outcome),
                Err(error) => {
                    of_panic::<()>(Err(error));
                    Happened::Woken
                }
            },
            entries = reader.next(), if has_room => Happened::Read(entries),
            Some(entries) = next_of(&mut again) => Happened::ReadAgain(entries),
            () = sleep_until(wakes_at.unwrap_or(now)), if wakes_at.is_some() => Happened::Woken,
            _ = ticks.tick() => Happened::Tick,
        }
    }

    /// When something can be sent that cannot be now.
    fn wakes_at(&self, now: Instant) -> Option<Instant> {
        let opens_at = self.circuit.opens_at(now);
        let is_free =
            self.posts.len() < self.circuit.allows(now, self.shared.settings.in_flight_max);
        opens_at.or_else(|| self.lanes.next_at().filter(|_| is_free))
    }

    /// Sends what may be sent.
    fn send(&mut self) {
        let now = Instant::now();
        let Some(known) = self.record.known() else { return };
        let at = self.shared.parts.engine.now();
        let secrets: Arc<[_]> = self.shared.signing(self.record.id(), known, at).into();
        let in_flight_max = self.shared.settings.in_flight_max;
        while self.posts.len() < self.circuit.allows(now, in_flight_max)
            && let Some((enterprise, entry)) = self.lanes.next(now)
        {
            let client = self.shared.client.clone();
            let (endpoint, secrets) = (known.subscription.endpoint.clone(), secrets.clone());
            self.posts.spawn(async move {
                let outcome = match posted(&entry) {
                    Ok(event) => client.post(&endpoint, &event, &secrets, at).await,
                    Err(error) => {
                        tracing::error!(?error, position = %entry.position, "an event is no JSON");
                        Outcome::Refused(0)
                    }
                };
                (enterprise, outcome)
            });
        }
    }

    /// Takes in what was read. What waits of an enterprise that is set aside is not sent, nor what was sent
    /// again. What came before something withheld is sent, also where it comes again.
    fn read(&mut self, entries: Vec<Arc<Entry>>) -> Option<End> {
        for entry in entries {
            let enterprise = &entry.enterprise;
            let known = self.record.known()?;
            let sent = self.redriven.get(enterprise).is_some_and(|sent| entry.point() <= *sent);
            let aside = known.set_aside.get(enterprise);
            let waits =
                aside.is_some_and(|aside| !aside.withheld || point(aside.first) <= entry.point());
            if !sent && !waits {
                self.lanes.push(enterprise, entry.point(), Arc::clone(&entry));
            }
        }
        let (read, withheld) = (self.reader.point(), self.reader.withheld());
        self.redriven.retain(|of, sent| read < *sent || withheld.contains_key(of));
        None
    }

    /// Acts on what a post led to.
    async fn answered(&mut self, enterprise: &EnterpriseId, outcome: Outcome) -> Option<End> {
        metrics::posted(outcome);
        match outcome {
            Outcome::Delivered => self.delivered(enterprise).await,
            Outcome::Gone => {
                self.retry(enterprise, |tries| Tries { failed: tries.failed + 1, ..tries }, None);
                self.write(&Command::Pause(PauseCause::Gone)).await.1.or(Some(End::Changed))
            }
            Outcome::Refused(status) => {
                self.answers();
                self.refused(enterprise, status).await
            }
            Outcome::Failed(trouble, asked) => self.failed(enterprise, trouble, asked).await,
        }
    }

    /// The receiver has said something about an event, so it is up.
    fn answers(&mut self) {
        self.circuit.succeeded();
        self.is_up = true;
    }

    async fn delivered(&mut self, enterprise: &EnterpriseId) -> Option<End> {
        self.answers();
        self.lanes.done(enterprise);
        self.progressed = true;
        match self.end_redrive().await {
            // That something gets through again is told at once.
            None if self.record.known()?.stalled.is_some() => self.advance(true).await,
            end => end,
        }
    }

    /// What is refused often enough is set aside, with the later events of its enterprise.
    async fn refused(&mut self, enterprise: &EnterpriseId, status: u16) -> Option<End> {
        if self.lanes.tries(enterprise).refused + 1 < self.shared.settings.refusals_max {
            self.retry(enterprise, |tries| Tries { refused: tries.refused + 1, ..tries }, None);
            return None;
        }
        self.set_aside(enterprise, status).await
    }

    /// The event that was sent is set aside, with the later events of its enterprise.
    async fn set_aside(&mut self, enterprise: &EnterpriseId, status: u16) -> Option<End> {
        let first = place(self.lanes.first(enterprise)?.point());
        let aside = Command::SetAside { enterprise: enterprise.clone(), first, status };
        let written = self.record.write(&aside).await;
        if written == Written::Stored {
            let webhook = self.record.id();
            tracing::warn!(%webhook, %enterprise, status, "an event was refused, and is set aside");
            self.lanes.set_aside(enterprise);
            self.redrive.take_if(|redrive| redrive.enterprise == *enterprise);
            self.progressed = true;
            return None;
        }
        // It is refused once more, and then there may be room.
        self.retry(enterprise, |tries| Tries { failed: tries.failed + 1, ..tries }, None);
        match written {
            Written::Refused(Rejection::TooManySetAside) => {
                self.stall(Trouble::TooManySetAside).await
            }
            Written::Stale => self.look().await,
            Written::Stored | Written::Refused(_) | Written::Unknown => None,
        }
    }

    async fn failed(
        &mut self,
        enterprise: &EnterpriseId,
        trouble: Trouble,
        asked: Option<Duration>,
    ) -> Option<End> {
        let tries = self.lanes.tries(enterprise);
        if tries.failed + 1 >= FAILURES_MAX && self.lanes.overtaken_by(enterprise) >= OVERTAKEN_MAX
        {
            let status = match trouble {
                Trouble::Answered(status) => status,
                Trouble::Unreachable
                | Trouble::TimedOut
                | Trouble::TooManySetAside
                | Trouble::Forbidden => 0,
            };
            return self.set_aside(enterprise, status).await;
        }
        let tries =
            self.retry(enterprise, |tries| Tries { failed: tries.failed + 1, ..tries }, asked);
        if std::mem::take(&mut self.is_up) && asked.is_none() {
            // One failure among others that got through: the event waits, and the others go on.
            return None;
        }
        let settings = &self.shared.settings;
        let (min, max) = (settings.retry_min, settings.retry_max);
        self.circuit.failed(Instant::now(), |failures| {
            asked.unwrap_or_else(|| backoff::pause(failures, min, max, fastrand::u8(..)))
        });
        if self.circuit.failures().max(tries.failed) < STALLED_FAILURES {
            return None;
        }
        self.stall(trouble).await
    }

    /// The first event of the lane is tried again, after a pause that grows with its tries.
    fn retry(
        &mut self,
        enterprise: &EnterpriseId,
        count: impl FnOnce(Tries) -> Tries,
        asked: Option<Duration>,
    ) -> Tries {
        let tries = count(self.lanes.tries(enterprise));
        let settings = &self.shared.settings;
        let (min, max) = (settings.retry_min, settings.retry_max);
        let pause =
            asked.unwrap_or_else(|| backoff::pause(tries.total(), min, max, fastrand::u8(..)));
        self.lanes.retry(enterprise, tries, Instant::now() + pause);
        tries
    }

    async fn stall(&mut self, trouble: Trouble) -> Option<End> {
        if self.record.known()?.stalled.is_some() {
            return None;
        }
        let webhook = self.record.id();
        tracing::warn!(%webhook, ?trouble, "nothing gets through to a webhook's receiver");
        self.write(&Command::Stall(trouble)).await.1
    }

    async fn tick(&mut self) -> Option<End> {
        let mut end = self.look().await;
        if end.is_none() {
            end = self.note_withheld().await;
        }
        if end.is_none() {
            end = self.end_redrive().await;
        }
        if end.is_none() {
            end = self.advance(false).await;
        }
        end
    }

    /// Notices what operators and other processes did.
    async fn look(&mut self) -> Option<End> {
        let look = self.record.look().await;
        let is_active = self.record.known().is_some_and(|known| known.phase == Phase::Active);
        match look {
            Look::Delivered => Some(End::Another),
            Look::Same | Look::Operated if is_active => None,
            Look::Same | Look::Operated => Some(End::Changed),
        }
    }

    /// Puts on record how far it got, if it is time, or `at_once`.
    async fn advance(&mut self, at_once: bool) -> Option<End> {
        let known = self.record.known()?;
        let mark = place(self.mark());
        if mark <= known.delivered {
            return None;
        }
        let interval = self.shared.settings.position_interval;
        let is_time = self.recorded.is_none_or(|recorded| recorded.elapsed() >= interval);
        let is_far = mark.position.saturating_sub(known.delivered.position) >= FAR;
        if !(at_once || is_far || (self.progressed && is_time)) {
            return None;
        }
        let (stored, end) = self.write(&Command::Advance { delivered: mark }).await;
        if stored {
            self.recorded = Some(Instant::now());
            self.progressed = false;
        }
        end
    }

    /// Whether a command is on record, and whether that ends it all.
    async fn write(&mut self, command: &Command) -> (bool, Option<End>) {
        match self.record.write(command).await {
            Written::Stored => (true, None),
            Written::Stale => (false, self.look().await),
            Written::Refused(rejection) => {
                let webhook = self.record.id();
                tracing::warn!(%webhook, ?rejection, "nothing can be recorded of a delivery");
                (false, None)
            }
            Written::Unknown => (false, None),
        }
    }

    /// Waits a moment for what is on its way, and puts on record how far it got.
    async fn finish(mut self, end: End) -> End {
        let drained = async {
            while let Some(ended) = self.posts.join_next().await {
                if let Ok((enterprise, Outcome::Delivered)) = ended {
                    self.lanes.done(&enterprise);
                }
            }
        };
        // What is cut off comes again.
        let _ = timeout(DRAIN_MAX, drained).await;
        let is_live = self.record.known().is_some_and(|known| known.phase != Phase::Retired);
        if end != End::Another && is_live {
            self.advance(true).await;
        }
        end
    }
}

async fn next_of(redrive: &mut Option<&mut Redrive>) -> Option<Vec<Arc<Entry>>> {
    Some(redrive.as_mut()?.reader.next().await)
}
