//! A special campaign on its way from the proposal to its withdrawal, and who may take which step.

use doudi_api::permission::Role;
use doudi_api::proto::{
    ApprovalCapacity, ApproveCampaignRequest, Campaign, CampaignApproval, CampaignFiling,
    CampaignPhase, CampaignPlan, FileCampaignRequest, GetCampaignRequest, ProposeCampaignRequest,
    PublishCampaignRequest, UnitLevel, WithdrawCampaignRequest,
};
use doudi_server::client::{Client, command_id};
use doudi_tests::world::World;
use tonic::{Code, Status};

use super::requests::{AREA, ITEM, in_days, reason};

const MARKET: &str = "market-regulation";
const ENTERPRISE: &str = "91210212DD0000001D";

pub(super) fn propose() -> ProposeCampaignRequest {
    let plan = CampaignPlan {
        title: "特种设备安全专项检查".to_owned(),
        co_units: vec!["emergency-management".to_owned()],
        items: vec![ITEM.to_owned()],
        areas: vec![AREA.to_owned()],
        enterprises: None,
        from: Some(in_days(0)),
        until: Some(in_days(90)),
        basis: "大市监发〔2025〕9号".to_owned(),
    };
    ProposeCampaignRequest { command_id: command_id(), plan: Some(plan) }
}

fn approve(campaign: &str, approver: &str, level: UnitLevel) -> ApproveCampaignRequest {
    let approval = CampaignApproval {
        approver: approver.to_owned(),
        capacity: ApprovalCapacity::Government.into(),
        level: level.into(),
        document: "大政批〔2025〕31号".to_owned(),
    };
    ApproveCampaignRequest {
        command_id: command_id(),
        campaign_id: campaign.to_owned(),
        approval: Some(approval),
        expected_version: None,
    }
}

fn file(campaign: &str) -> FileCampaignRequest {
    let (unit, document) = ("justice".to_owned(), "备案回执17".to_owned());
    FileCampaignRequest {
        command_id: command_id(),
        campaign_id: campaign.to_owned(),
        filing: Some(CampaignFiling { unit, document }),
        expected_version: None,
    }
}

fn publish(campaign: &str) -> PublishCampaignRequest {
    PublishCampaignRequest {
        command_id: command_id(),
        campaign_id: campaign.to_owned(),
        document: "大连市人民政府公报2025年第4期".to_owned(),
        expected_version: None,
    }
}

fn withdraw(campaign: &str) -> WithdrawCampaignRequest {
    WithdrawCampaignRequest {
        command_id: command_id(),
        campaign_id: campaign.to_owned(),
        reason: "大市监发〔2025〕20号".to_owned(),
        expected_version: None,
    }
}

/// A campaign of the market regulator, proposed.
pub(super) async fn proposed(market: &mut Client) -> String {
    market.campaigns.propose_campaign(propose()).await.unwrap().into_inner().campaign_id
}

/// Takes a proposed campaign to its publication.
pub(super) async fn published(world: &World, campaign: &str) {
    let (mut market, mut admin) = (world.unit(MARKET), world.role(Role::Admin));
    let approval = approve(campaign, "city-government", UnitLevel::City);
    admin.campaigns.approve_campaign(approval).await.unwrap();
    market.campaigns.file_campaign(file(campaign)).await.unwrap();
    market.campaigns.publish_campaign(publish(campaign)).await.unwrap();
}

async fn read(client: &mut Client, campaign: &str) -> Result<Campaign, Status> {
    let ask = GetCampaignRequest { campaign_id: campaign.to_owned(), min_position: String::new() };
    let answer = client.campaigns.get_campaign(ask).await?.into_inner();
    Ok(answer.campaign.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_is_approved_filed_published_and_withdrawn_in_that_order() {
    let world = World::start().await;
    let (mut market, mut admin) = (world.unit(MARKET), world.role(Role::Admin));
    let mut enterprise = world.enterprise(ENTERPRISE);
    let request = propose();
    let first = market.campaigns.propose_campaign(request.clone()).await.unwrap().into_inner();
    let again = market.campaigns.propose_campaign(request.clone()).await.unwrap().into_inner();
    assert_eq!(again, first, "the same command names the same campaign");
    let id = first.campaign_id.as_str();

    // Nothing is published or filed before it is approved.
    for status in [
        market.campaigns.publish_campaign(publish(id)).await.unwrap_err(),
        market.campaigns.file_campaign(file(id)).await.unwrap_err(),
    ] {
        assert_eq!(reason(&status), "CAMPAIGN_WRONG_PHASE", "{status:?}");
        assert_eq!(status.code(), Code::FailedPrecondition);
    }
    assert_eq!(reason(&read(&mut enterprise, id).await.unwrap_err()), "CAMPAIGN_UNKNOWN");
    published(&world, id).await;

    let found = read(&mut enterprise, id).await.unwrap();
    assert_eq!(found.phase(), CampaignPhase::Published);
    assert_eq!((found.unit.as_str(), found.plan), (MARKET, request.plan));
    let approval = found.approval.unwrap();
    assert_eq!(
        (approval.approver.as_str(), approval.level()),
        ("city-government", UnitLevel::City)
    );
    assert_eq!(found.document, "大连市人民政府公报2025年第4期");

    let late = admin.campaigns.approve_campaign(approve(id, "other", UnitLevel::City)).await;
    assert_eq!(reason(&late.unwrap_err()), "CAMPAIGN_WRONG_PHASE");
    market.campaigns.withdraw_campaign(withdraw(id)).await.unwrap();
    let found = read(&mut enterprise, id).await.unwrap();
    assert_eq!(found.phase(), CampaignPhase::Withdrawn);
    assert_eq!(found.withdrawn_for, "大市监发〔2025〕20号");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_may_approves_and_only_the_organiser_does_the_rest() {
    let world = World::start().await;
    let (mut market, admin) = (world.unit(MARKET), world.role(Role::Admin));
    let id = proposed(&mut market).await;
    let own = approve(&id, "", UnitLevel::City);
    for (client, approval, expected) in [
        (&market, own.clone(), "CAMPAIGN_APPROVED_BY_PARTICIPANT"),
        (&market, approve(&id, "city-government", UnitLevel::City), "OUTSIDE_SCOPE"),
        (&admin, approve(&id, "town", UnitLevel::Township), "CAMPAIGN_LEVEL_TOO_LOW"),
        (&admin, approve(&id, "county", UnitLevel::County), "CAMPAIGN_NOT_SUPERIOR"),
    ] {
        let mut client = client.clone();
        let status = client.campaigns.approve_campaign(approval).await.unwrap_err();
        assert_eq!(reason(&status), expected, "{status:?}");
    }
    // The head of another unit approves for it without naming it.
    world.unit("city-government").campaigns.approve_campaign(own).await.unwrap();
    let found = read(&mut market, &id).await.unwrap();
    assert_eq!(found.approval.unwrap().approver, "city-government");

    let mut other = world.unit("emergency-management");
    for status in [
        other.campaigns.file_campaign(file(&id)).await.unwrap_err(),
        other.campaigns.publish_campaign(publish(&id)).await.unwrap_err(),
        other.campaigns.withdraw_campaign(withdraw(&id)).await.unwrap_err(),
    ] {
        assert_eq!(reason(&status), "CAMPAIGN_OTHER_UNIT", "{status:?}");
        assert_eq!(status.code(), Code::PermissionDenied);
    }
    // A unit without a catalogue inspects nothing, so it organises nothing.
    let status = world.unit("urban-management").campaigns.propose_campaign(propose()).await;
    assert_eq!(reason(&status.unwrap_err()), "CATALOGUE_UNPUBLISHED");
    world.stop().await;
}
