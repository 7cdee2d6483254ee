//! Documents tried out on a real log: the command line and the API tell the same, nothing is written, and a
//! replay ends with whoever asked for it.

use std::time::Duration;

use doudi_api::{
    DOMAIN,
    identity::Claims,
    permission::Role,
    proto::{
        FILE_DESCRIPTOR_SET, Ground, PlanVisitRequest, PolicyDocument, Share, TryPolicyRequest,
        TryPolicyResponse, WhatIfChange, WhatIfReport, policy_document::Document,
        try_policy_response::Step, what_if_count::Key,
    },
};
use doudi_server::{catalogue, client::Client, token};
use doudi_tests::{
    program, until,
    world::{Ground as Servers, World},
};
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use tonic::{Code, Request, Status, Streaming};
use tonic_types::StatusExt as _;

use super::{
    chaos::Frozen,
    requests::{AREA, plan, register, submit, tax_share},
};

mod days;
mod midway;

const ENTERPRISES: [&str; 3] = ["91210212DD0000001D", "91210212DD0000002B", "91210212DD0000003K"];
const BOUND: Duration = Duration::from_secs(20);

/// The limits in force, but no more than one visit a year by all units.
fn once_by_all() -> PolicyDocument {
    let mut document = catalogue::frequency_policy();
    let Some(Document::Frequency(policy)) = &mut document.document else { unreachable!() };
    policy.rules[1].maximum = 1;
    document
}

/// The routing in force, but what the power supply leads is led by the tax bureau.
fn to_the_tax_bureau() -> PolicyDocument {
    let mut document = catalogue::Plan::published().unwrap().routing();
    let Some(Document::Routing(table)) = &mut document.document else { unreachable!() };
    let leads = table.topics.iter_mut().map(|topic| &mut topic.lead);
    leads.filter(|lead| *lead == "power-supply").for_each(|lead| *lead = "tax".to_owned());
    document
}

/// Two visits to each enterprise by two units, and an appeal of each.
async fn happened(world: &World) {
    let mut admin = world.role(Role::Admin);
    for enterprise in ENTERPRISES {
        admin.enterprises.register_enterprise(register(enterprise)).await.unwrap();
        let by_market = plan(enterprise, Ground::Routine);
        let Share { officers, items, .. } = tax_share();
        let by_tax = PlanVisitRequest { officers, items, ..plan(enterprise, Ground::Routine) };
        for (unit, request) in [("market-regulation", by_market), ("tax", by_tax)] {
            world.unit(unit).inspections.plan_visit(request).await.unwrap();
        }
        let mut account = world.enterprise(enterprise);
        account.appeals.submit_appeal(submit(enterprise, "T06", "")).await.unwrap();
    }
}

fn descriptor(name: &str) -> MessageDescriptor {
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap();
    pool.get_message_by_name(name).unwrap()
}

/// What the command line prints about a document; what it complains of, if it refuses.
async fn by_hand(servers: &Servers, text: &str, arguments: &[&str]) -> Result<String, String> {
    let file = servers.folder.path().join("candidate.json");
    std::fs::write(&file, text).unwrap();
    let mut command = program::command();
    program::configure(&mut command, &servers.config, program::free_address());
    command.arg("what-if").arg("--policy").arg(&file).args(arguments);
    let output = command.output().await.unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    if output.status.success() {
        assert!(errors.contains(" records, "), "how far it is is told: {errors}");
        Ok(String::from_utf8(output.stdout).unwrap())
    } else {
        Err(errors)
    }
}

fn json(document: &PolicyDocument) -> String {
    let mut message = DynamicMessage::new(descriptor("doudi.v1.PolicyDocument"));
    message.transcode_from(document).unwrap();
    serde_json::to_string(&message).unwrap()
}

fn read(text: &str) -> WhatIfReport {
    let mut json = serde_json::Deserializer::from_str(text);
    let report = DynamicMessage::deserialize(descriptor("doudi.v1.WhatIfReport"), &mut json);
    report.unwrap().transcode_to().unwrap()
}

async fn ask(
    client: &Client,
    request: TryPolicyRequest,
) -> Result<Streaming<TryPolicyResponse>, Status> {
    Ok(client.what_ifs.clone().try_policy(request).await?.into_inner())
}

fn of(document: PolicyDocument) -> TryPolicyRequest {
    TryPolicyRequest { document: Some(document), from: None, until: None }
}

/// The report at the end of the stream, of all days.
async fn report(client: &Client, document: PolicyDocument) -> WhatIfReport {
    reported(client, of(document)).await
}

/// The report at the end of the stream.
async fn reported(client: &Client, request: TryPolicyRequest) -> WhatIfReport {
    let mut stream = ask(client, request).await.unwrap();
    let mut found = None;
    while let Some(message) = stream.message().await.unwrap() {
        assert_eq!(found, None, "the report is the last message");
        if let Some(Step::Report(report)) = message.step {
            found = Some(report);
        }
    }
    found.expect("a report")
}

fn counted(report: &WhatIfReport, change: WhatIfChange, key: &Key) -> u64 {
    let found = |count: &&doudi_api::proto::WhatIfCount| {
        count.change() == change && count.key.as_ref() == Some(key)
    };
    report.counts.iter().find(found).map_or(0, |count| count.count)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_and_the_api_tell_the_same_and_nothing_is_written() {
    let world = World::start().await;
    happened(&world).await;
    let journal = &world.running.parts.journal;
    let end = journal.last_position().await.unwrap();
    let everywhere = Claims { areas: vec!["*".to_owned()], ..token::claims(Role::Supervisor) };
    let supervisor = world.client(&everywhere);

    let found = report(&supervisor, once_by_all()).await;
    assert_eq!((found.compared, found.skipped, found.unreadable), (6, 0, 0));
    let by = |key| counted(&found, WhatIfChange::Refused, &key);
    assert_eq!(by(Key::Rule("four-a-year-by-all-units".to_owned())), 3);
    assert_eq!((by(Key::Unit("tax".to_owned())), by(Key::Area(AREA.to_owned()))), (3, 3));
    let printed = by_hand(&world.ground, &json(&once_by_all()), &["--json"]).await.unwrap();
    assert_eq!(read(&printed), found);
    let printed = by_hand(&world.ground, &json(&once_by_all()), &[]).await.unwrap();
    assert!(printed.contains("would be refused") && printed.contains("tax"), "{printed}");

    let moved = report(&supervisor, to_the_tax_bureau()).await;
    assert_eq!((moved.compared, moved.totals[0].change()), (3, WhatIfChange::Rerouted));
    let printed = by_hand(&world.ground, &json(&to_the_tax_bureau()), &["--json"]).await.unwrap();
    assert_eq!(read(&printed), moved);
    for same in [
        catalogue::frequency_policy(),
        catalogue::case_types().unwrap(),
        catalogue::work_calendar().unwrap(),
    ] {
        let found = report(&supervisor, same).await;
        assert!(found.compared > 0 && found.totals.is_empty(), "{found:?}");
    }

    let elsewhere = Claims { areas: vec!["210202".to_owned()], ..everywhere };
    assert_eq!(report(&world.client(&elsewhere), once_by_all()).await.compared, 0);
    assert_eq!(journal.last_position().await.unwrap(), end, "nothing was written");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_tried_out_is_refused_in_both_languages() {
    let world = World::bare().await;
    let admin = world.role(Role::Admin);
    let reason = |status: &Status| {
        let info = status.get_details_error_info().unwrap();
        assert_eq!(info.domain, DOMAIN);
        info.reason
    };
    let listed = catalogue::inspection_catalogues().unwrap().remove(0);
    let refused = ask(&admin, of(listed.clone())).await.unwrap_err();
    assert_eq!(reason(&refused), "POLICY_UNTRIED");
    let mut empty = once_by_all();
    if let Some(Document::Frequency(policy)) = &mut empty.document {
        policy.rules.clear();
    }
    let refused = ask(&admin, of(empty.clone())).await.unwrap_err();
    assert_eq!(reason(&refused), "POLICY_UNSOUND");
    let refused = ask(&admin, TryPolicyRequest::default()).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::InvalidArgument, "REQUEST_INVALID")
    );
    let refused = ask(&world.unit("tax"), of(once_by_all())).await.unwrap_err();
    assert_eq!(reason(&refused), "ROLE_MISSING");

    for (text, said) in [
        (json(&listed), "检查事项清单不能试算"),
        (json(&empty), "文件存在1处问题"),
        (r#"{"frequency":{"rules":[],"limits":3}}"#.to_owned(), "is no policy document"),
        ("{".to_owned(), "is no policy document"),
    ] {
        let refused = by_hand(&world.ground, &text, &[]).await.unwrap_err();
        assert!(refused.contains(said), "{refused}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_than_two_run_at_once_and_each_ends_with_its_caller_or_its_deadline() {
    let mut ground = Servers::start().await;
    // Longer than the test: what ends a replay here is no patience with the log.
    ground.config.nats.ack_timeout = Duration::from_secs(28);
    let running = ground.run().await;
    let world = World { ground, running };
    let admin = world.role(Role::Admin);
    // A log that does not answer keeps every replay at work.
    let frozen = Frozen::of(&[world.ground.nats.pid()]);
    let first = ask(&admin, of(once_by_all())).await.unwrap();
    let mut timed = Request::new(of(once_by_all()));
    timed.set_timeout(Duration::from_secs(2));
    let timed = admin.what_ifs.clone().try_policy(timed).await.unwrap();
    let busy = ask(&admin, of(once_by_all())).await.unwrap_err();
    assert_eq!(busy.code(), Code::ResourceExhausted);
    assert_eq!(busy.get_details_error_info().unwrap().reason, "WHAT_IF_BUSY");

    let ended = timed.into_inner().message().await.unwrap_err();
    assert_eq!(ended.code(), Code::DeadlineExceeded);
    let second = until(BOUND, async || ask(&admin, of(once_by_all())).await.ok()).await;
    let second = second.expect("the one whose deadline passed left its place");
    assert_eq!(ask(&admin, of(once_by_all())).await.unwrap_err().code(), Code::ResourceExhausted);
    drop(first);
    let third = until(BOUND, async || ask(&admin, of(once_by_all())).await.ok()).await;
    let third = third.expect("the one whose caller went away left its place");
    drop(frozen);
    for mut stream in [second, third] {
        let mut last = None;
        while let Some(message) = stream.message().await.unwrap() {
            last = message.step;
        }
        assert!(matches!(last, Some(Step::Report(_))), "the log is back: {last:?}");
    }
    world.stop().await;
}
