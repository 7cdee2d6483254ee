//! Requests and answers about special campaigns and random draws.

use doudi_domain::{
    CertificateNumber, EnterpriseId,
    campaign::{Approved, Campaign, Capacity, Filed, Filing, Published},
    draw::{
        Candidate, Command as OnDraw, Counts, Digest, Done, Draw, Made, RatioTable, Seed, Share,
    },
    enterprise::CreditGrade,
};
use doudi_engine::Folded;

use super::{bad::check, sound::ID, *};

fn market() -> UnitId {
    UnitId::parse("market-regulation").unwrap()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn propose() -> pb::ProposeCampaignRequest {
    let plan = pb::CampaignPlan {
        title: "特种设备专项检查".to_owned(),
        co_units: words(&["emergency"]),
        items: words(&["SC-0101", "SC-0205"]),
        areas: words(&["210212"]),
        enterprises: Some(pb::RuleEnterprises {
            grades: vec![pb::CreditGrade::D.into()],
            risk_classes: vec![],
            tags: words(&["special-equipment"]),
        }),
        from: day(2025, 4, 1),
        until: day(2025, 6, 30),
        basis: "大市监发〔2025〕9号".to_owned(),
    };
    pb::ProposeCampaignRequest { command_id: ID.to_owned(), plan: Some(plan) }
}

fn planned(request: &mut pb::ProposeCampaignRequest) -> &mut pb::CampaignPlan {
    request.plan.as_mut().unwrap()
}

fn approve() -> pb::ApproveCampaignRequest {
    pb::ApproveCampaignRequest {
        command_id: ID.to_owned(),
        campaign_id: ID.to_owned(),
        approval: Some(pb::CampaignApproval {
            approver: String::new(),
            capacity: pb::ApprovalCapacity::SuperiorOrgan.into(),
            level: pb::UnitLevel::Province.into(),
            document: "辽市监批〔2025〕7号".to_owned(),
        }),
        expected_version: Some(1),
    }
}

fn approval(request: &mut pb::ApproveCampaignRequest) -> &mut pb::CampaignApproval {
    request.approval.as_mut().unwrap()
}

fn file() -> pb::FileCampaignRequest {
    let (unit, document) = ("justice".to_owned(), "备案回执17".to_owned());
    pb::FileCampaignRequest {
        command_id: ID.to_owned(),
        campaign_id: ID.to_owned(),
        filing: Some(pb::CampaignFiling { unit, document }),
        expected_version: None,
    }
}

fn filing(request: &mut pb::FileCampaignRequest) -> &mut pb::CampaignFiling {
    request.filing.as_mut().unwrap()
}

#[test]
fn a_plan_comes_back_as_it_went_in() {
    let order = campaign::propose(&propose(), market()).unwrap();
    let doudi_domain::campaign::Command::Propose(plan) = order.command else { panic!() };
    assert_eq!(plan.unit, market());
    let approving = campaign::approve(&approve()).unwrap().command;
    assert_eq!(approving.named(), None);
    let by = approving.by(UnitId::parse("bureau").unwrap());
    let doudi_domain::campaign::Command::Approve(approval) = by else { panic!() };
    assert_eq!(approval.capacity, Capacity::SuperiorOrgan);
    let (with, document) = (market(), approval.document.clone());
    let filed = Filed { approved: Approved { plan, approval }, filing: Filing { with, document } };
    let document = filed.filing.document.clone();
    let mut folded = Folded::<Campaign>::default();
    folded.state = Campaign::Published(Published { filed, document });
    let answer = campaign::answer(order.id, &folded).unwrap().campaign.unwrap();
    assert_eq!(answer.plan, propose().plan);
    let mut given = approve().approval.unwrap();
    given.approver = "bureau".to_owned();
    assert_eq!(answer.approval, Some(given));
    assert_eq!(answer.phase(), pb::CampaignPhase::Published);
    assert_eq!((answer.unit.as_str(), answer.withdrawn_for.as_str()), ("market-regulation", ""));
    assert!(campaign::answer(order.id, &Folded::default()).is_none());
}

#[test]
fn each_malformed_field_of_a_campaign_is_named() {
    check(
        propose,
        |r| campaign::propose(r, market()),
        &[
            (|r| r.command_id.clear(), "command_id", Reason::FieldRequired),
            (|r| r.plan = None, "plan", Reason::FieldRequired),
            (|r| planned(r).title.clear(), "plan.title", Reason::FieldRequired),
            (|r| planned(r).co_units[0] = "U".into(), "plan.co_units[0]", Reason::FieldCharacter),
            (|r| planned(r).co_units = vec!["u".into(); 51], "plan.co_units", Reason::ListSize),
            (|r| planned(r).items.clear(), "plan.items", Reason::ListSize),
            (|r| planned(r).items[1] = "SC-0101".into(), "plan.items[1]", Reason::ListDuplicate),
            (|r| planned(r).areas[0] = "旅顺".into(), "plan.areas[0]", Reason::FieldCharacter),
            (
                |r| planned(r).enterprises.as_mut().unwrap().grades[0] = 0,
                "plan.enterprises.grades[0]",
                Reason::EnumUnspecified,
            ),
            (|r| planned(r).from = None, "plan.from", Reason::FieldRequired),
            (|r| planned(r).until = day(2025, 2, 30), "plan.until", Reason::DateInvalid),
            (|r| planned(r).until = day(2025, 3, 31), "plan.until", Reason::RangeReversed),
            (|r| planned(r).basis.clear(), "plan.basis", Reason::FieldRequired),
        ],
    );
    check(
        approve,
        campaign::approve,
        &[
            (|r| r.campaign_id = "7".into(), "campaign_id", Reason::FieldNotUuid),
            (|r| r.approval = None, "approval", Reason::FieldRequired),
            (|r| approval(r).approver = "U".into(), "approval.approver", Reason::FieldCharacter),
            (|r| approval(r).capacity = 0, "approval.capacity", Reason::EnumUnspecified),
            (|r| approval(r).level = 9, "approval.level", Reason::EnumUnknown),
            (|r| approval(r).document.clear(), "approval.document", Reason::FieldRequired),
        ],
    );
    check(
        file,
        |r| campaign::file(r, market()),
        &[
            (|r| r.filing = None, "filing", Reason::FieldRequired),
            (|r| filing(r).unit.clear(), "filing.unit", Reason::FieldRequired),
            (|r| filing(r).document.clear(), "filing.document", Reason::FieldRequired),
        ],
    );
    let nothing = |refused: Vec<(String, Reason)>| {
        refused.into_iter().map(|(path, _)| path).collect::<Vec<_>>().join(" ")
    };
    let publish = campaign::publish(&Default::default(), market());
    assert_eq!(nothing(refused(publish)), "document command_id campaign_id");
    let withdraw = campaign::withdraw(&Default::default(), market());
    assert_eq!(nothing(refused(withdraw)), "reason command_id campaign_id");
}

fn open() -> pb::OpenDrawRequest {
    pb::OpenDrawRequest {
        command_id: ID.to_owned(),
        title: "双随机抽查".to_owned(),
        campaign_id: String::new(),
        ratios: Some(pb::DrawRatios { a_percent: 5, b_percent: 20, c_percent: 50, d_percent: 100 }),
        officers: words(&["2102-1", "2102-2", "2102-3"]),
        officers_per_visit: 0,
    }
}

fn add() -> pb::AddCandidatesRequest {
    let candidate = |enterprise: &str, grade: pb::CreditGrade| pb::DrawCandidate {
        enterprise_id: enterprise.to_owned(),
        grade: grade.into(),
        avoid: words(&["2102-1"]),
    };
    let (graded, other) = (pb::CreditGrade::C, pb::CreditGrade::Unspecified);
    pb::AddCandidatesRequest {
        command_id: ID.to_owned(),
        draw_id: ID.to_owned(),
        candidates: vec![candidate("L-1", graded), candidate("L-2", other)],
        expected_version: None,
    }
}

#[test]
fn sound_requests_about_a_draw_say_what_they_say() {
    let table = RatioTable::default();
    let (opening, _) = draw::open(&open(), market(), table).unwrap().command;
    assert_eq!((opening.per_visit, opening.ratios.c), (2, 50));
    assert_eq!((opening.campaign, opening.officers.len()), (None, 3));
    let order = draw::add(&add(), market()).unwrap().command;
    let OnDraw::AddCandidates { candidates, .. } = order else { panic!() };
    let grades: Vec<_> = candidates.iter().map(|candidate| candidate.grade).collect();
    assert_eq!(grades, [Some(CreditGrade::C), None]);
}

#[test]
fn each_malformed_field_of_a_draw_is_named() {
    check(
        open,
        |r| draw::open(r, market(), RatioTable::default()),
        &[
            (|r| r.title.clear(), "title", Reason::FieldRequired),
            (|r| r.campaign_id = "7".into(), "campaign_id", Reason::FieldNotUuid),
            (|r| r.ratios = None, "ratios", Reason::FieldRequired),
            (
                |r| r.ratios.as_mut().unwrap().d_percent = 101,
                "ratios.d_percent",
                Reason::NumberRange,
            ),
            (|r| r.officers.truncate(1), "officers", Reason::ListSize),
            (|r| r.officers[1] = "2102-1".into(), "officers[1]", Reason::ListDuplicate),
            (|r| r.officers_per_visit = 1, "officers_per_visit", Reason::NumberRange),
            (|r| r.officers_per_visit = 11, "officers_per_visit", Reason::NumberRange),
        ],
    );
    check(
        add,
        |r| draw::add(r, market()),
        &[
            (|r| r.draw_id.clear(), "draw_id", Reason::FieldRequired),
            (|r| r.candidates.clear(), "candidates", Reason::ListSize),
            (
                |r| r.candidates = vec![pb::DrawCandidate::default(); 2001],
                "candidates",
                Reason::ListSize,
            ),
            (
                |r| r.candidates[1].enterprise_id = "915".into(),
                "candidates[1].enterprise_id",
                Reason::EnterpriseIdMalformed,
            ),
            (|r| r.candidates[0].grade = 9, "candidates[0].grade", Reason::EnumUnknown),
            (
                |r| r.candidates[0].avoid[0] = "长".into(),
                "candidates[0].avoid[0]",
                Reason::FieldCharacter,
            ),
        ],
    );
}

/// Seven enterprises were drawn, two officers each.
fn drawn() -> Folded<Draw> {
    let candidate = |n: usize| Candidate {
        enterprise: EnterpriseId::parse(&format!("L-{n}")).unwrap(),
        grade: (n > 0).then_some(CreditGrade::D),
        avoid: [CertificateNumber::parse("2102-1").unwrap()].into(),
    };
    let (opening, _) = draw::open(&open(), market(), RatioTable::default()).unwrap().command;
    let drawn = (0..7).map(candidate).map(|found| (found.enterprise.clone(), found)).collect();
    let counts = Counts { d: Share { candidates: 7, drawn: 7 }, ..Counts::default() };
    let digest = |byte| Digest([byte; 32]);
    let made = Made { pool: digest(1), seed: Seed([2; 32]), result: digest(3), counts };
    let mut folded = Folded::<Draw>::default();
    folded.state = Draw::Made(Box::new(Done { opening, made, drawn }));
    folded
}

fn page(size: u32, token: &str) -> pb::ListDrawnResponse {
    let request = pb::ListDrawnRequest {
        draw_id: ID.to_owned(),
        page_size: size,
        page_token: token.to_owned(),
        min_position: String::new(),
    };
    let list = draw::list(&request, &Caller::for_tests(), &tokens()).unwrap();
    draw::page(&list, &drawn(), &tokens(), 1 << 20)
}

#[test]
fn pages_list_each_drawn_enterprise_once_with_its_officers() {
    let (mut seen, mut token) = (vec![], String::new());
    for entries in [3, 3, 1] {
        let found = page(3, &token);
        assert_eq!(found.drawn.len(), entries);
        assert!(found.drawn.iter().all(|drawn| drawn.officers.len() == 2));
        seen.extend(found.drawn.into_iter().map(|drawn| drawn.enterprise_id));
        token = found.next_page_token;
    }
    assert_eq!(token, "");
    assert_eq!(seen, ["L-0", "L-1", "L-2", "L-3", "L-4", "L-5", "L-6"]);
    let whole = page(7, "");
    assert_eq!((whole.drawn.len(), whole.next_page_token.as_str()), (7, ""));
    assert_eq!(whole.drawn[0].grade(), pb::CreditGrade::Unspecified);
    assert_eq!(whole.drawn[1].grade(), pb::CreditGrade::D);
}

#[test]
fn a_page_of_another_draw_leads_nowhere() {
    let token = page(3, "").next_page_token;
    let request = pb::ListDrawnRequest {
        draw_id: Uuid::from_u128(7).to_string(),
        page_token: token,
        ..Default::default()
    };
    let listed = draw::list(&request, &Caller::for_tests(), &tokens());
    assert_eq!(refused(listed), [("page_token".to_owned(), Reason::PageTokenInvalid)]);
}

#[test]
fn a_draw_shows_its_seed_and_digests_once_it_is_made() {
    let id = doudi_domain::DrawId::parse(ID).unwrap();
    let made = draw::answer(id, &drawn()).unwrap().draw.unwrap();
    assert!(made.made);
    assert_eq!(made.seed, "02".repeat(32));
    assert_eq!((made.pool_digest, made.result_digest), ("01".repeat(32), "03".repeat(32)));
    let shares: Vec<_> =
        made.shares.iter().map(|share| (share.grade(), share.candidates, share.drawn)).collect();
    assert_eq!(shares[3], (pb::CreditGrade::D, 7, 7));
    assert!(draw::answer(id, &Folded::default()).is_none());
}
