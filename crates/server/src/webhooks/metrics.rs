//! What the delivery to webhooks counts. No label tells one webhook from another: their ids are no list of ours.

use std::sync::LazyLock;

use prometheus_client::metrics::{counter::Counter, family::Family};

use super::post::Outcome;

/// Posts to webhooks, by `outcome`: delivered, refused because of the event, failed because of the receiver, or
/// gone where it wants no more.
pub static POSTS: LazyLock<Family<[(&'static str, &'static str); 1], Counter>> =
    LazyLock::new(Family::default);

/// Counts a post that was answered, or was not.
pub(super) fn posted(outcome: Outcome) {
    let outcome = match outcome {
        Outcome::Delivered => "delivered",
        Outcome::Refused(_) => "refused",
        Outcome::Failed(..) => "failed",
        Outcome::Gone => "gone",
    };
    POSTS.get_or_create(&[("outcome", outcome)]).inc();
}
