//! A world on both sides of a midnight in Asia/Shanghai, with callers whose tokens are good on both.

use doudi_api::{identity::Claims, permission::Role};
use doudi_domain::calendar::civil_date;
use doudi_server::{client::Client, clock::Ahead, token};
use doudi_tests::world::{Ground, World};
use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date, tz};

use super::requests::now;

/// How far from midnight it is on either side: longer than anything takes here.
const APART: SignedDuration = SignedDuration::from_mins(10);

/// A world with the published catalogue, put forward to an evening to come.
pub(super) struct Midnight {
    pub(super) world: World,
    /// When the second day begins.
    pub(super) at: Timestamp,
    clock: Ahead,
}

impl Midnight {
    /// Starts the world and puts it forward to ten minutes before.
    pub(super) async fn start() -> Self {
        let clock = Ahead::default();
        let world = Box::pin(World::start_at(Ground::start().await, &clock)).await;
        // After tomorrow, so that it is not over however long the start took.
        let second = civil_date(now()).saturating_add(2.days());
        let at = tz::offset(8).to_timestamp(second.at(0, 0, 0, 0)).unwrap();
        clock.set(at - APART);
        Self { world, at, clock }
    }

    /// Puts the world forward to ten minutes after.
    pub(super) fn passes(&self) {
        self.clock.set(self.at + APART);
    }

    /// The day that begins then, and those so many days around it.
    pub(super) fn day(&self, days: i32) -> Date {
        civil_date(self.at).saturating_add(days.days())
    }

    /// A client with the sample claims of a role.
    pub(super) fn role(&self, role: Role) -> Client {
        self.client(token::claims(role))
    }

    /// The head of a unit.
    pub(super) fn unit(&self, unit: &str) -> Client {
        self.client(Claims { unit: Some(unit.to_owned()), ..token::claims(Role::UnitHead) })
    }

    /// An enterprise.
    pub(super) fn enterprise(&self, id: &str) -> Client {
        self.client(Claims { enterprise: Some(id.to_owned()), ..token::claims(Role::Enterprise) })
    }

    fn client(&self, claims: Claims) -> Client {
        let (iat, exp) = ((self.at - 2 * APART).as_second(), (self.at + 6 * APART).as_second());
        self.world.client(&Claims { iat, exp, ..claims })
    }
}
