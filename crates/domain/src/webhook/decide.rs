//! One function for each command on a webhook.

use super::*;

impl Webhook {
    pub(super) fn register(&self, subscription: &Subscription) -> Result<Vec<Event>, Rejection> {
        match self.known() {
            Some(known) if known.subscription == *subscription => Ok(vec![]),
            Some(_) => Err(Rejection::RegisteredDifferently),
            None if subscription.areas.len() > AREAS_MAX => {
                Err(Rejection::AreaCount { found: subscription.areas.len() })
            }
            None => Ok(vec![Event::WebhookRegistered { subscription: subscription.clone() }]),
        }
    }

    pub(super) fn retire(&self) -> Result<Vec<Event>, Rejection> {
        match self.known() {
            None => Err(Rejection::WebhookUnknown),
            Some(known) if known.phase == Phase::Retired => Ok(vec![]),
            Some(_) => Ok(vec![Event::WebhookRetired {}]),
        }
    }

    /// One that is not retired.
    pub(super) fn live(&self) -> Result<&Known, Rejection> {
        let known = self.known().ok_or(Rejection::WebhookUnknown)?;
        if known.phase == Phase::Retired { Err(Rejection::Retired) } else { Ok(known) }
    }
}

impl Known {
    /// Whoever paused it first is remembered.
    pub(super) fn pause(&self, cause: PauseCause) -> Result<Vec<Event>, Rejection> {
        match self.phase {
            Phase::Active => Ok(vec![Event::WebhookPaused { cause }]),
            Phase::Paused(_) | Phase::Retired => Ok(vec![]),
        }
    }

    pub(super) fn resume(&self) -> Result<Vec<Event>, Rejection> {
        match self.phase {
            Phase::Paused(_) => Ok(vec![Event::WebhookResumed {}]),
            Phase::Active | Phase::Retired => Ok(vec![]),
        }
    }

    /// The caller says which generation it wants, so that two who rotate at once get one secret.
    pub(super) fn rotate(
        &self,
        context: &Context<'_>,
        generation: u32,
    ) -> Result<Vec<Event>, Rejection> {
        if generation == self.generation && generation > 1 {
            return Ok(vec![]);
        }
        if self.generation.checked_add(1) == Some(generation) {
            Ok(vec![Event::SecretRotated { generation, at: context.now }])
        } else {
            Err(Rejection::OtherGeneration { present: self.generation })
        }
    }

    /// What went wrong first is remembered until something gets through.
    pub(super) fn stall(
        &self,
        context: &Context<'_>,
        trouble: Trouble,
    ) -> Result<Vec<Event>, Rejection> {
        match self.stalled {
            Some(_) => Ok(vec![]),
            None => Ok(vec![Event::DeliveryStalled { trouble, at: context.now }]),
        }
    }

    pub(super) fn advance(&self, delivered: Place) -> Result<Vec<Event>, Rejection> {
        if delivered <= self.delivered {
            return Ok(vec![]);
        }
        Ok(vec![Event::DeliveryAdvanced { delivered }])
    }

    /// An enterprise that waits already keeps its first event, unless they were being sent again.
    pub(super) fn set_aside(
        &self,
        context: &Context<'_>,
        enterprise: &EnterpriseId,
        first: Place,
        status: u16,
    ) -> Result<Vec<Event>, Rejection> {
        match self.set_aside.get(enterprise) {
            Some(aside) if !aside.redriving => return Ok(vec![]),
            None if self.set_aside.len() >= SET_ASIDE_MAX => {
                return Err(Rejection::TooManySetAside);
            }
            Some(_) | None => {}
        }
        let (enterprise, at) = (enterprise.clone(), context.now);
        Ok(vec![Event::EventSetAside { enterprise, first, status, at }])
    }

    /// An enterprise that waits already goes on doing so, unless what waited was sent again until here.
    pub(super) fn withhold(
        &self,
        context: &Context<'_>,
        enterprise: &EnterpriseId,
        first: Place,
    ) -> Result<Vec<Event>, Rejection> {
        match self.set_aside.get(enterprise) {
            Some(aside) if !aside.redriving || first <= aside.first => return Ok(vec![]),
            None if self.set_aside.len() >= SET_ASIDE_MAX => {
                return Err(Rejection::TooManySetAside);
            }
            Some(_) | None => {}
        }
        let (enterprise, at) = (enterprise.clone(), context.now);
        Ok(vec![Event::EventsWithheld { enterprise, first, at }])
    }

    pub(super) fn redrive(
        &self,
        enterprises: &BTreeSet<EnterpriseId>,
    ) -> Result<Vec<Event>, Rejection> {
        if !(1..=REDRIVEN_MAX).contains(&enterprises.len()) {
            return Err(Rejection::EnterpriseCount { found: enterprises.len() });
        }
        let mut ordered = BTreeSet::new();
        for enterprise in enterprises {
            match self.set_aside.get(enterprise) {
                None => {
                    let enterprise = enterprise.clone();
                    return Err(Rejection::NotSetAside { enterprise });
                }
                Some(aside) if aside.redriving => {}
                Some(_) => _ = ordered.insert(enterprise.clone()),
            }
        }
        if ordered.is_empty() {
            return Ok(vec![]);
        }
        Ok(vec![Event::RedriveOrdered { enterprises: ordered }])
    }

    /// Only what was ordered is finished: what was set aside anew meanwhile waits for the next order.
    pub(super) fn finish_redrive(
        &self,
        enterprise: &EnterpriseId,
    ) -> Result<Vec<Event>, Rejection> {
        match self.set_aside.get(enterprise) {
            None => Ok(vec![]),
            Some(aside) if aside.redriving => {
                Ok(vec![Event::EventsRedriven { enterprise: enterprise.clone() }])
            }
            Some(_) => Err(Rejection::RedriveNotOrdered { enterprise: enterprise.clone() }),
        }
    }
}
