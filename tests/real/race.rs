//! Many clients want the last place of a limit at the same moment: exactly one gets it, every time.

use doudi_api::permission::Role;
use doudi_api::proto::{
    FrequencyPolicy, FrequencyRule, FrequencySubject, FrequencyWindow, GetQuotaRequest, Ground,
    PolicyDocument, PolicyName, policy_document::Document,
};
use doudi_tests::world::World;
use futures::future::join_all;
use tonic::Code;

use super::requests::{in_days, plan, reason, register};

const ROUNDS: usize = 200;
const CLIENTS: usize = 8;

/// One visit a year by all units together.
fn one_place() -> PolicyDocument {
    let rule = FrequencyRule {
        id: "one".to_owned(),
        subject: FrequencySubject::AllUnits.into(),
        window: FrequencyWindow::CalendarYear.into(),
        maximum: 1,
        exempt_grounds: vec![],
        source: "a test".to_owned(),
        is_default: true,
        valid_from: Some(in_days(-400)),
        valid_until: None,
    };
    PolicyDocument { document: Some(Document::Frequency(FrequencyPolicy { rules: vec![rule] })) }
}

#[tokio::test(flavor = "multi_thread")]
async fn exactly_one_wins_the_last_place_in_each_of_200_rounds() {
    let world = World::bare().await;
    world.publish(PolicyName::Frequency, one_place()).await;
    // A second instance on the same log: the limit must hold between processes, not only in one.
    let other = world.ground.run().await;
    let clients: Vec<_> = (0..CLIENTS)
        .map(|n| {
            let claims = doudi_api::identity::Claims {
                unit: Some(format!("unit-{n}")),
                ..doudi_server::token::claims(Role::UnitHead)
            };
            let channel = if n % 2 == 0 { &world.running.channel } else { &other.channel };
            doudi_server::client::Client::new(channel, &world.ground.token(&claims)).unwrap()
        })
        .collect();
    let mut admin = world.role(Role::Admin);
    for round in 0..ROUNDS {
        let enterprise = format!("L-RACE{round}");
        admin.enterprises.register_enterprise(register(&enterprise)).await.unwrap();
        let tries = clients.iter().map(|client| {
            let mut inspections = client.inspections.clone();
            let request = plan(&enterprise, Ground::Routine);
            async move { inspections.plan_visit(request).await }
        });
        let outcomes = join_all(tries).await;
        let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(won, 1, "round {round}: {won} of {CLIENTS} took the one place");
        for refused in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
            assert_eq!(refused.code(), Code::ResourceExhausted, "round {round}: {refused:?}");
            assert_eq!(reason(refused), "CAP_REACHED");
        }
        if round == ROUNDS - 1 {
            let receipt = outcomes.into_iter().find_map(Result::ok).unwrap().into_inner().receipt;
            let request = GetQuotaRequest {
                enterprise_id: enterprise,
                unit: "unit-0".to_owned(),
                min_position: receipt.unwrap().position,
                ..GetQuotaRequest::default()
            };
            let mut inspections = clients[0].inspections.clone();
            let quota = inspections.get_quota(request).await.unwrap().into_inner().quotas;
            assert_eq!((quota[0].reserved, quota[0].remaining), (1, 0));
        }
    }
    drop(clients);
    other.stop().await;
    world.stop().await;
}
