//! Every rejection of webhooks, once.

use doudi_domain::webhook::Rejection as R;

use super::*;

pub(super) fn rejections() -> Vec<Refusal> {
    let enterprise = || EnterpriseId::parse("L-1").unwrap();
    let rejections = [
        R::WebhookUnknown,
        R::RegisteredDifferently,
        R::Retired,
        R::AreaCount { found: 21 },
        R::OtherGeneration { present: 3 },
        R::TooManySetAside,
        R::EnterpriseCount { found: 0 },
        R::NotSetAside { enterprise: enterprise() },
        R::RedriveNotOrdered { enterprise: enterprise() },
    ];
    rejections.iter().map(Explain::explain).collect()
}
