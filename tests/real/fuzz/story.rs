//! What is right, once: a visit, an appeal, a file, a device, a webhook, every kind of document. What is made up begins with it.

use doudi_api::proto::{
    AnchorTimeRequest, AnchorTimeResponse, ApproveVisitResponse, CheckInResponse,
    DraftPolicyRequest, DraftPolicyResponse, EnrolDeviceRequest, EnrolDeviceResponse,
    FileDescription, Ground, PlanVisitResponse, RegisterEnterpriseResponse, RegisterWebhookRequest,
    RegisterWebhookResponse, SubmitAppealResponse, UploadFileRequest, UploadFileResponse,
    UploadRecordsRequest, UploadRecordsResponse, Visibility, upload_file_request::Part,
};
use doudi_scan::records::{Anchored, CheckOut, Recorder, Tail, What};
use doudi_server::{catalogue, client::command_id};
use fastrand::Rng;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{ENTERPRISE, OTHER, Wild};
use crate::real::requests::{approve, check_in, now, plan, register, submit};

/// The smallest beginning of a picture.
const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0";

/// Tells it.
pub(super) async fn tell(wild: &mut Wild, rng: &mut Rng) {
    for enterprise in [ENTERPRISE, OTHER] {
        let _: RegisterEnterpriseResponse =
            wild.told(rng, "RegisterEnterprise", &[register(enterprise)]).await;
    }
    let planned: PlanVisitResponse =
        wild.told(rng, "PlanVisit", &[plan(ENTERPRISE, Ground::Routine)]).await;
    let visit = planned.visit_id;
    let _: ApproveVisitResponse =
        wild.told(rng, "ApproveVisit", &[approve(ENTERPRISE, &visit)]).await;
    let scan = check_in(&wild.world, ENTERPRISE, &visit).await;
    let _: CheckInResponse = wild.told(rng, "CheckIn", &[scan]).await;
    let submitted: SubmitAppealResponse =
        wild.told(rng, "SubmitAppeal", &[submit(ENTERPRISE, "T06", "13800000000")]).await;
    let description = FileDescription {
        command_id: command_id(),
        enterprise_id: ENTERPRISE.to_owned(),
        appeal_id: submitted.appeal_id,
        visibility: Visibility::Public.into(),
        name: "现场.png".to_owned(),
        media_type: "image/png".to_owned(),
        bytes: PICTURE.len() as u64,
        sha256: Sha256::digest(PICTURE).iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    let parts = [Part::Description(description), Part::Chunk(PICTURE.to_vec())];
    let parts = parts.map(|part| UploadFileRequest { part: Some(part) });
    let _: UploadFileResponse = wild.told(rng, "UploadFile", &parts).await;
    let webhook = RegisterWebhookRequest {
        command_id: command_id(),
        label: "伙伴".to_owned(),
        url: "https://localhost:9/hook".to_owned(),
        ..RegisterWebhookRequest::default()
    };
    let _: RegisterWebhookResponse = wild.told(rng, "RegisterWebhook", &[webhook]).await;
    let documents = [
        catalogue::work_calendar().unwrap(),
        catalogue::case_types().unwrap(),
        catalogue::frequency_policy(),
        catalogue::Plan::published().unwrap().routing(),
        catalogue::inspection_catalogues().unwrap().swap_remove(0),
    ];
    for document in documents {
        let draft = DraftPolicyRequest {
            command_id: command_id(),
            document: Some(document),
            expected_version: None,
        };
        let _: DraftPolicyResponse = wild.told(rng, "DraftPolicy", &[draft]).await;
    }
    device(wild, rng, &visit).await;
}

/// A device that keeps when the officers left.
async fn device(wild: &mut Wild, rng: &mut Rng, visit: &str) {
    let secret = [7; 32];
    let new = Recorder::new(Uuid::nil(), &secret, Tail::default());
    let enrol = EnrolDeviceRequest {
        command_id: command_id(),
        public_key: new.public_key().to_vec(),
        label: "执法终端".to_owned(),
    };
    let enrolled: EnrolDeviceResponse = wild.told(rng, "EnrolDevice", &[enrol]).await;
    let request = AnchorTimeRequest { device_id: enrolled.device_id.clone() };
    let anchored: AnchorTimeResponse = wild.told(rng, "AnchorTime", &[request]).await;
    let device = enrolled.device_id.parse().unwrap();
    let mut recorder = Recorder::new(device, &secret, Tail::default());
    let left = What::CheckOut(CheckOut {
        enterprise: ENTERPRISE.to_owned(),
        visit: visit.parse().unwrap(),
        occurred_at: now().as_millisecond(),
    });
    let anchor = Anchored { text: anchored.anchor, elapsed_ms: 0 };
    let record = recorder.record(left, now().as_millisecond(), Some(anchor)).unwrap();
    let upload = UploadRecordsRequest { records: vec![record.0] };
    let _: UploadRecordsResponse = wild.told(rng, "UploadRecords", &[upload]).await;
}
