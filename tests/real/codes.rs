//! Codes of enterprises (企业码) over the API: issued, drawn, scanned and revoked, and their keys rotated while
//! they hang.

use std::{fs, io::Cursor};

use doudi_api::permission::Role;
use doudi_api::proto::{
    Assurance, CheckInRequest, CodePicture, GetEnterpriseCodeRequest, Ground,
    IssueEnterpriseCodeRequest, Place, RevokeEnterpriseCodeRequest, ScanManner,
};
use doudi_scan::codes::{Code, KeyRing, VisitCode};
use doudi_server::{
    client::{Client, command_id},
    dev::keys::code_keys,
};
use doudi_tests::world::World;
use tonic::{Code as Grpc, Status};
use uuid::Uuid;

use super::requests::{approved, check_in, now, plan, read_visit, reason, register, shown};

mod unsound;

pub(super) const ENTERPRISE: &str = "91210212DD0000001D";
pub(super) const OTHER: &str = "91210212DD0000002B";
pub(super) const MARKET: &str = "market-regulation";

/// A door in 旅顺口区.
pub(super) const DOOR: Place =
    Place { latitude_e6: 38_811_000, longitude_e6: 121_262_000, accuracy_m: 10 };

pub(super) fn issue() -> IssueEnterpriseCodeRequest {
    IssueEnterpriseCodeRequest {
        command_id: command_id(),
        enterprise_id: ENTERPRISE.to_owned(),
        valid_days: 30,
        place: Some(DOOR),
        expected_version: None,
    }
}

pub(super) fn revoke(code: &str) -> RevokeEnterpriseCodeRequest {
    RevokeEnterpriseCodeRequest {
        command_id: command_id(),
        enterprise_id: ENTERPRISE.to_owned(),
        code_id: code.to_owned(),
        expected_version: None,
    }
}

/// A code that hangs at the enterprise.
pub(super) async fn printed(world: &World) -> CodePicture {
    let issued = world.enterprise(ENTERPRISE).codes.issue_enterprise_code(issue()).await.unwrap();
    issued.into_inner().code.unwrap()
}

/// A world with the enterprise registered.
pub(super) async fn registered() -> World {
    let world = World::start().await;
    let mut admin = world.role(Role::Admin);
    for enterprise in [ENTERPRISE, OTHER] {
        admin.enterprises.register_enterprise(register(enterprise)).await.unwrap();
    }
    world
}

/// The keys that the world's codes are signed with.
pub(super) fn ring(world: &World) -> KeyRing {
    KeyRing::parse(&fs::read_to_string(&world.ground.key.codes_file).unwrap()).unwrap()
}

/// The visit's code as its unit could show it, for an hour.
pub(super) fn task_code(enterprise: &str, visit: &str) -> Code {
    let now = now().as_second();
    Code::Visit(VisitCode {
        id: Uuid::parse_str(&command_id()).unwrap(),
        enterprise: enterprise.to_owned(),
        visit: visit.parse().unwrap(),
        issued_at: now,
        expires_at: now + 3600,
    })
}

/// What a decoder that has nothing to do with how it was drawn reads in the picture.
fn read_png(file: &[u8]) -> String {
    let mut decoder = png::Decoder::new(Cursor::new(file));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut gray = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut gray).unwrap();
    let (width, height) = (frame.width as usize, frame.height as usize);
    let mut image =
        rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| gray[y * width + x]);
    image.detect_grids().first().unwrap().decode().unwrap().1
}

pub(super) async fn scanned(world: &World, visit: &str, code: &str) -> CheckInRequest {
    CheckInRequest { code: code.to_owned(), ..check_in(world, ENTERPRISE, visit).await }
}

fn refusal(status: &Status) -> (Grpc, String) {
    (status.code(), reason(status))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_hangs_is_issued_drawn_and_scanned_and_proves_the_place() {
    let world = registered().await;
    let mut enterprise = world.enterprise(ENTERPRISE);
    let request = issue();
    let first = enterprise.codes.issue_enterprise_code(request.clone()).await.unwrap().into_inner();
    let again = enterprise.codes.issue_enterprise_code(request).await.unwrap().into_inner();
    let code = first.code.unwrap();
    let repeated = again.code.unwrap();
    assert_eq!(again.receipt, first.receipt);
    assert_eq!((&repeated.code_id, repeated.expires_at), (&code.code_id, code.expires_at));
    assert_eq!(read_png(&code.png), code.text);
    assert!(code.text.starts_with("DD1:") && code.svg.contains("<svg"), "{}", code.svg);

    let mut market = world.unit(MARKET);
    let visit = approved(&mut market, plan(ENTERPRISE, Ground::Routine)).await;
    let scan = CheckInRequest { place: Some(DOOR), ..scanned(&world, &visit, &code.text).await };
    market.inspections.check_in(scan).await.unwrap();
    let scan = read_visit(&mut market, ENTERPRISE, &visit).await.unwrap().scan.unwrap();
    assert_eq!((scan.manner(), scan.assurance()), (ScanManner::Live, Assurance::Place));
    assert_eq!((scan.place, scan.irregularities), (Some(DOOR), vec![]));
    // What the enterprise shows for a minute proves that both were there.
    let visit = approved(&mut market, plan(ENTERPRISE, Ground::Complaint)).await;
    let scan = check_in(&world, ENTERPRISE, &visit).await;
    market.inspections.check_in(scan).await.unwrap();
    let scan = read_visit(&mut market, ENTERPRISE, &visit).await.unwrap().scan.unwrap();
    assert_eq!(scan.assurance(), Assurance::Presence);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_keeps_codes_shows_them_again_and_nobody_else_has_one() {
    let world = registered().await;
    let code = printed(&world).await;
    let ask = || GetEnterpriseCodeRequest {
        enterprise_id: ENTERPRISE.to_owned(),
        code_id: code.code_id.clone(),
    };
    for mut client in
        [world.enterprise(ENTERPRISE), world.role(Role::Admin), world.role(Role::Dispatcher)]
    {
        let found = client.codes.get_enterprise_code(ask()).await.unwrap().into_inner();
        assert_eq!((found.code.unwrap().code_id, found.revoked_at), (code.code_id.clone(), None));
    }
    let mut other = world.enterprise(OTHER);
    let status = other.codes.get_enterprise_code(ask()).await.unwrap_err();
    assert_eq!(status.code(), Grpc::PermissionDenied, "{status:?}");
    let own = GetEnterpriseCodeRequest { enterprise_id: OTHER.to_owned(), ..ask() };
    let status = other.codes.get_enterprise_code(own).await.unwrap_err();
    assert_eq!(refusal(&status), (Grpc::NotFound, "CODE_UNKNOWN".to_owned()));
    let issued = other.codes.issue_enterprise_code(issue()).await.unwrap_err();
    assert_eq!(issued.code(), Grpc::PermissionDenied, "{issued:?}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_code_lets_nobody_in_and_one_on_a_screen_only_once() {
    let world = registered().await;
    let mut market = world.unit(MARKET);
    let (hung, first) =
        (printed(&world).await, approved(&mut market, plan(ENTERPRISE, Ground::Routine)).await);
    let mut enterprise = world.enterprise(ENTERPRISE);
    enterprise.codes.revoke_enterprise_code(revoke(&hung.code_id)).await.unwrap();
    let request = scanned(&world, &first, &hung.text).await;
    let status = market.inspections.check_in(request).await.unwrap_err();
    assert_eq!(refusal(&status), (Grpc::FailedPrecondition, "CODE_REVOKED".to_owned()));
    let ask =
        GetEnterpriseCodeRequest { enterprise_id: ENTERPRISE.to_owned(), code_id: hung.code_id };
    let found = enterprise.codes.get_enterprise_code(ask).await.unwrap().into_inner();
    assert!(found.revoked_at.is_some());

    let code = shown(&world, ENTERPRISE).await;
    let came = scanned(&world, &first, &code).await;
    market.inspections.check_in(came).await.unwrap();
    let twice = scanned(&world, &first, &code).await;
    let twice = market.inspections.check_in(twice).await.unwrap().into_inner().receipt.unwrap();
    assert!(twice.unchanged, "the same visit scanned twice is one visit");
    let second = approved(&mut market, plan(ENTERPRISE, Ground::Complaint)).await;
    let request = scanned(&world, &second, &code).await;
    let status = market.inspections.check_in(request).await.unwrap_err();
    assert_eq!(refusal(&status), (Grpc::FailedPrecondition, "CODE_REPLAYED".to_owned()));
    world.stop().await;
}

/// Puts these keys in the place of the world's and starts its roles anew.
async fn restarted(world: World, keys: &[&str]) -> World {
    let World { ground, running } = world;
    let sets = keys.iter().map(|set| serde_json::from_str::<serde_json::Value>(set).unwrap());
    let keys: Vec<serde_json::Value> =
        sets.flat_map(|set| set["keys"].as_array().unwrap().clone()).collect();
    running.stop().await;
    let set = serde_json::json!({ "keys": keys }).to_string();
    fs::write(&ground.key.codes_file, set).unwrap();
    let running = ground.run().await;
    World { ground, running }
}

/// Whether a code lets somebody in for another visit.
async fn lets_in(world: &World, code: &str) -> Result<(), String> {
    let mut market: Client = world.unit(MARKET);
    let visit = approved(&mut market, plan(ENTERPRISE, Ground::Complaint)).await;
    let request = scanned(world, &visit, code).await;
    let answer = market.inspections.check_in(request).await;
    answer.map(|_| ()).map_err(|status| reason(&status))
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_rotated_with_an_overlap_in_which_old_codes_still_open() {
    let world = registered().await;
    let old_code = printed(&world).await.text;
    let old = fs::read_to_string(&world.ground.key.codes_file).unwrap();
    let new = code_keys("2026-b").unwrap();

    let world = restarted(world, &[&new, &old]).await;
    let new_code = printed(&world).await.text;
    let only_new = KeyRing::parse(&new).unwrap();
    assert!(only_new.open(&new_code, now().as_second()).is_ok(), "the first key seals");
    assert_eq!(lets_in(&world, &old_code).await, Ok(()));
    assert_eq!(lets_in(&world, &new_code).await, Ok(()));

    let world = restarted(world, &[&new]).await;
    assert_eq!(lets_in(&world, &old_code).await, Err("CODE_KEY_UNKNOWN".to_owned()));
    assert_eq!(lets_in(&world, &new_code).await, Ok(()));
    // The code itself was never the key's: it can be printed anew.
    world.stop().await;
}
