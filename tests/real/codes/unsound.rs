//! What is no sound code is refused for a reason of its own and leaves nothing behind.

use std::time::Duration;

use doudi_api::proto::{CheckInRequest, Ground};
use doudi_scan::codes::{Anchor, Code, EnterpriseCode, Form, KeyRing};
use doudi_server::{client::command_id, dev::keys::code_keys};
use doudi_tests::{until, world::World};
use uuid::Uuid;

use super::{ENTERPRISE, MARKET, OTHER, printed, registered, ring, scanned, task_code};
use crate::real::requests::{approved, now, plan, reason};

/// A code as the enterprise could show it, `from` and `until` in seconds from now.
fn on_screen(enterprise: &str, (from, until): (i64, i64)) -> Code {
    let now = now().as_second();
    Code::Enterprise(EnterpriseCode {
        id: Uuid::parse_str(&command_id()).unwrap(),
        enterprise: enterprise.to_owned(),
        form: Form::Rotating,
        place: None,
        issued_at: now + from,
        expires_at: now + until,
    })
}

/// Every text that is no code for the visit, with the reason that is given. `valid` is one that would be.
fn unsound(world: &World, visit: &str, valid: &str) -> Vec<(String, &'static str)> {
    let ours = ring(world);
    let named = |kid: &str| KeyRing::parse(&code_keys(kid).unwrap()).unwrap();
    let seal = |ring: &KeyRing, code: &Code| ring.seal(code).unwrap();
    let minute = |enterprise: &str| on_screen(enterprise, (0, 60));
    let same_name = named(ours.sealing_kid().unwrap());
    let device = Uuid::parse_str(visit).unwrap();
    let anchor = ours.seal_anchor(&Anchor { device, at: now().as_millisecond() }).unwrap();
    let Code::Enterprise(never) = minute(ENTERPRISE) else { panic!() };
    let never = Code::Enterprise(EnterpriseCode { form: Form::Printed, ..never });
    vec![
        (String::new(), "CODE_MISSING"),
        ("DD1:".repeat(257), "CODE_TOO_LONG"),
        ("https://example.com/checkin?id=1".to_owned(), "CODE_NOT_OURS"),
        (valid[..valid.len() - 30].to_owned(), "CODE_MALFORMED"),
        (valid.to_lowercase().replace("dd1:", "DD1:"), "CODE_MALFORMED"),
        (seal(&named("elsewhere"), &minute(ENTERPRISE)), "CODE_KEY_UNKNOWN"),
        (seal(&same_name, &minute(ENTERPRISE)), "CODE_FORGED"),
        (seal(&ours, &on_screen(ENTERPRISE, (-7200, -3600))), "CODE_EXPIRED"),
        (seal(&ours, &on_screen(ENTERPRISE, (3600, 7200))), "CODE_NOT_YET_VALID"),
        (seal(&ours, &minute(OTHER)), "CODE_OF_OTHER"),
        (seal(&ours, &task_code(ENTERPRISE, visit)), "CODE_OTHER_KIND"),
        (anchor, "CODE_OTHER_KIND"),
        (seal(&ours, &never), "CODE_REVOKED"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn each_text_that_is_no_sound_code_has_its_own_reason_and_leaves_nothing_behind() {
    let world = registered().await;
    let mut market = world.unit(MARKET);
    let visit = approved(&mut market, plan(ENTERPRISE, Ground::Routine)).await;
    let valid = printed(&world).await.text;
    let journal = &world.running.parts.journal;
    let before = journal.last_position().await.unwrap();
    for (text, expected) in unsound(&world, &visit, &valid) {
        let request = scanned(&world, &visit, &text).await;
        let status = market.inspections.check_in(request).await.unwrap_err();
        assert_eq!(reason(&status), expected, "{text}: {status:?}");
    }
    // One character changed, wherever: the text is another, or the signature is false.
    for at in ["DD1:".len(), valid.len() / 2, valid.len() - 2] {
        let other = if valid.as_bytes()[at] == b'7' { "8" } else { "7" };
        let mut changed = valid.clone();
        changed.replace_range(at..=at, other);
        let request = scanned(&world, &visit, &changed).await;
        let status = market.inspections.check_in(request).await.unwrap_err();
        let found = reason(&status);
        let told = ["CODE_FORGED", "CODE_MALFORMED", "CODE_KEY_UNKNOWN", "CODE_VERSION_UNKNOWN"];
        assert!(told.contains(&found.as_str()), "{at}: {found}");
    }
    assert_eq!(journal.last_position().await.unwrap(), before, "nothing is written");
    market.inspections.check_in(scanned(&world, &visit, &valid).await).await.unwrap();
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_scan_answers_with_its_first_outcome_when_its_code_has_ended_meanwhile() {
    /// How long the code can still be scanned: it ended before, and clocks may differ by a minute.
    const LEFT: i64 = 8;
    let world = registered().await;
    let mut market = world.unit(MARKET);
    let first = approved(&mut market, plan(ENTERPRISE, Ground::Routine)).await;
    let second = approved(&mut market, plan(ENTERPRISE, Ground::Complaint)).await;
    let request = scanned(&world, &first, "").await;
    let other = scanned(&world, &second, "").await;
    let code = ring(&world).seal(&on_screen(ENTERPRISE, (-100, LEFT - 60))).unwrap();
    let request = CheckInRequest { code: code.clone(), ..request };
    let other = CheckInRequest { code, ..other };
    let came = market.inspections.check_in(request.clone()).await.unwrap().into_inner();
    let ended = until(Duration::from_secs(60), || {
        let (mut market, other) = (market.clone(), other.clone());
        async move {
            let status = market.inspections.check_in(other).await.unwrap_err();
            (reason(&status) == "CODE_EXPIRED").then_some(())
        }
    });
    ended.await.expect("the code ends");
    let again = market.inspections.check_in(request.clone()).await.unwrap().into_inner();
    assert_eq!(again, came);
    let anew = CheckInRequest { command_id: command_id(), ..request };
    let anew = market.inspections.check_in(anew).await.unwrap().into_inner();
    assert!(anew.receipt.unwrap().unchanged);
    world.stop().await;
}
