//! The rejections of ratings, explained.

use doudi_domain::ratings::Rejection;

use super::{Explain, Reason, Refusal};

impl Explain for Rejection {
    fn explain(&self) -> Refusal {
        match self {
            Self::VisitUnknown(visit) => Refusal::new(Reason::VisitUnknown).with("visit", visit),
            Self::NotVisited(visit) => Refusal::new(Reason::VisitNotMade).with("visit", visit),
            Self::AlreadyRated(visit) => {
                Refusal::new(Reason::VisitRatedAlready).with("visit", visit)
            }
        }
    }
}
