//! Random draws over the API: made once, shown to whom they concern, and redone from outside and from the log.

use std::{collections::BTreeSet, path::PathBuf, process::Stdio};

use doudi_api::permission::Role;
use doudi_api::proto::{
    AddCandidatesRequest, CreditGrade, Draw, DrawCandidate, DrawRatios, DrawnEnterprise,
    GetDrawRequest, ListDrawnRequest, MakeDrawRequest, OpenDrawRequest,
};
use doudi_server::{
    client::{Client, command_id},
    token,
};
use doudi_tests::{program, world::World};
use tokio::process::Command;
use tonic::{Code, Status};

use super::{
    campaigns::{proposed, published},
    requests::{officers, reason},
};

const MARKET: &str = "market-regulation";

fn open() -> OpenDrawRequest {
    OpenDrawRequest {
        command_id: command_id(),
        title: "第一季度双随机抽查".to_owned(),
        campaign_id: String::new(),
        ratios: Some(DrawRatios { a_percent: 5, b_percent: 20, c_percent: 50, d_percent: 100 }),
        officers: [officers(), vec!["LNB-0003".to_owned()]].concat(),
        officers_per_visit: 2,
    }
}

/// Enterprises of each grade in turn.
fn add(draw: &str, numbers: std::ops::Range<usize>) -> AddCandidatesRequest {
    let grades =
        [CreditGrade::A, CreditGrade::B, CreditGrade::C, CreditGrade::D, CreditGrade::Unspecified];
    let candidate = |n: usize| DrawCandidate {
        enterprise_id: format!("L-{n:05}"),
        grade: grades[n % grades.len()].into(),
        avoid: if n.is_multiple_of(7) { vec!["LNB-0001".to_owned()] } else { vec![] },
    };
    AddCandidatesRequest {
        command_id: command_id(),
        draw_id: draw.to_owned(),
        candidates: numbers.map(candidate).collect(),
        expected_version: None,
    }
}

fn make(draw: &str) -> MakeDrawRequest {
    MakeDrawRequest { command_id: command_id(), draw_id: draw.to_owned(), expected_version: None }
}

async fn read(client: &mut Client, draw: &str) -> Result<Draw, Status> {
    let ask = GetDrawRequest { draw_id: draw.to_owned(), min_position: String::new() };
    Ok(client.draws.get_draw(ask).await?.into_inner().draw.unwrap())
}

async fn drawn(client: &mut Client, draw: &str, page_size: u32) -> Vec<DrawnEnterprise> {
    let mut ask = ListDrawnRequest { draw_id: draw.to_owned(), page_size, ..Default::default() };
    let mut all = vec![];
    loop {
        let page = client.draws.list_drawn(ask.clone()).await.unwrap().into_inner();
        all.extend(page.drawn);
        if page.next_page_token.is_empty() {
            return all;
        }
        ask.page_token = page.next_page_token;
    }
}

/// What `doudi draw verify` prints, and whether it ends well.
async fn verified(world: &World, draw: &str) -> (bool, String) {
    let mut command = program::command();
    program::configure(&mut command, &world.ground.config, program::free_address());
    let output = command.args(["draw", "verify", draw]).output().await.unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draw_is_made_once_and_comes_out_again_from_the_log() {
    let world = World::start().await;
    let mut market = world.unit(MARKET);
    let id = market.draws.open_draw(open()).await.unwrap().into_inner().draw_id;
    market.draws.add_candidates(add(&id, 0..60)).await.unwrap();
    market.draws.add_candidates(add(&id, 40..100)).await.unwrap();
    assert!(drawn(&mut market, &id, 0).await.is_empty(), "nothing is drawn before it is made");
    let before = read(&mut market, &id).await.unwrap();
    assert_eq!((before.made, before.seed.as_str()), (false, ""));
    let (is_sound, text) = verified(&world, &id).await;
    assert!(!is_sound && text.contains("the draw is not made"), "{text}");

    let request = make(&id);
    let receipt = market.draws.make_draw(request.clone()).await.unwrap().into_inner().receipt;
    let made = read(&mut market, &id).await.unwrap();
    // A retry comes with another seed and is the same command; another command changes nothing.
    let again = market.draws.make_draw(request).await.unwrap().into_inner().receipt;
    assert_eq!(again, receipt);
    let second = market.draws.make_draw(make(&id)).await.unwrap().into_inner().receipt.unwrap();
    assert!(second.unchanged);
    assert_eq!(read(&mut market, &id).await.unwrap(), made);
    let closed = market.draws.add_candidates(add(&id, 100..101)).await.unwrap_err();
    assert_eq!(
        (closed.code(), reason(&closed).as_str()),
        (Code::FailedPrecondition, "DRAW_POOL_CLOSED")
    );

    let shares: Vec<_> = made.shares.iter().map(|share| (share.candidates, share.drawn)).collect();
    assert_eq!(shares, [(20, 1), (40, 8), (20, 10), (20, 20)]);
    let all = drawn(&mut market, &id, 7).await;
    assert_eq!(all, drawn(&mut market, &id, 200).await);
    assert_eq!(all.len(), 39);
    let distinct: BTreeSet<&String> = all.iter().map(|found| &found.enterprise_id).collect();
    assert_eq!(distinct.len(), 39);
    assert!(all.iter().all(|found| found.officers.len() == 2));

    let (is_sound, text) = verified(&world, &id).await;
    assert!(is_sound, "{text}");
    for line in
        [&made.seed, &made.pool_digest, &made.result_digest, "grade D: 20 of 20, as recorded"]
    {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
    let nil = uuid::Uuid::nil().to_string();
    let (is_sound, text) = verified(&world, &nil).await;
    assert!(!is_sound && text.contains("there is no draw"), "{text}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draw_is_for_its_unit_and_for_those_who_watch() {
    let world = World::start().await;
    let mut market = world.unit(MARKET);
    let id = market.draws.open_draw(open()).await.unwrap().into_inner().draw_id;
    for role in [Role::Supervisor, Role::Auditor, Role::Admin] {
        assert_eq!(read(&mut world.role(role), &id).await.unwrap().unit, MARKET, "{role}");
    }
    let mut other = world.unit("emergency-management");
    for client in [&mut other, &mut world.enterprise("91210212DD0000001D")] {
        let status = read(client, &id).await.unwrap_err();
        assert_eq!((status.code(), reason(&status).as_str()), (Code::NotFound, "DRAW_UNKNOWN"));
        let ask = ListDrawnRequest { draw_id: id.clone(), ..Default::default() };
        let status = client.draws.list_drawn(ask).await.unwrap_err();
        assert_eq!(reason(&status), "DRAW_UNKNOWN");
    }
    for status in [
        other.draws.add_candidates(add(&id, 0..1)).await.unwrap_err(),
        other.draws.make_draw(make(&id)).await.unwrap_err(),
    ] {
        assert_eq!((status.code(), reason(&status).as_str()), (Code::NotFound, "DRAW_UNKNOWN"));
    }
    assert_eq!(reason(&market.draws.make_draw(make(&id)).await.unwrap_err()), "DRAW_POOL_EMPTY");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ratios_officers_and_the_campaign_of_a_draw_are_looked_at() {
    let world = World::start().await;
    let mut market = world.unit(MARKET);
    let refused = async |client: &mut Client, request: OpenDrawRequest| {
        reason(&client.draws.open_draw(request).await.unwrap_err())
    };
    let ratios = DrawRatios { a_percent: 6, ..open().ratios.unwrap() };
    let request = OpenDrawRequest { ratios: Some(ratios), ..open() };
    assert_eq!(refused(&mut market, request).await, "DRAW_RATIO_OUTSIDE");
    let foreign = [officers(), vec!["LNB-0201".to_owned()]].concat();
    let request = OpenDrawRequest { officers: foreign, ..open() };
    assert_eq!(refused(&mut market, request).await, "OFFICER_INVALID");

    let campaign = proposed(&mut market).await;
    let of = |campaign: &str| OpenDrawRequest { campaign_id: campaign.to_owned(), ..open() };
    assert_eq!(refused(&mut market, of(&campaign)).await, "CAMPAIGN_NOT_PUBLISHED");
    let unknown = uuid::Uuid::from_u128(7).to_string();
    assert_eq!(refused(&mut market, of(&unknown)).await, "CAMPAIGN_UNKNOWN");
    published(&world, &campaign).await;
    assert_eq!(refused(&mut world.unit("tax"), of(&campaign)).await, "CAMPAIGN_UNIT_OUTSIDE");
    let id = market.draws.open_draw(of(&campaign)).await.unwrap().into_inner().draw_id;
    assert_eq!(read(&mut market, &id).await.unwrap().campaign_id, campaign);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_in_another_language_draws_the_same() {
    let Some(python) = doudi_tests::python() else {
        doudi_tests::skipped("python", "run deploy/bootstrap.sh --python");
        return;
    };
    let world = World::start().await;
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut script = Command::new(python);
    script
        .arg(root.join("tests/python/draw.py"))
        .arg(root.join("proto"))
        .arg(world.running.address.to_string())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    for role in [Role::UnitHead, Role::Auditor] {
        let token = world.ground.token(&token::claims(role));
        script.env(format!("TOKEN_{}", role.to_string().to_uppercase()), token);
    }
    let output = script.output().await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    assert!(text.contains("draw: ok"), "{text}");
    world.stop().await;
}
