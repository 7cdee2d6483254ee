//! `DeviceService`.

use doudi_domain::{
    DeviceId, UnitId,
    device::{Command, Device},
};
use doudi_engine::{Outcome, streams};
use doudi_scan::codes::{Anchor, KeyRing, SealError};
use jiff::Timestamp;
use tonic::{Request, Response, Status};

use super::Api;
use crate::{
    call::Call,
    convert::{
        city::Order,
        common::{self, receipt},
        device as convert,
    },
    error::{Failure, Reason},
    proto::{self as pb, device_service_server::DeviceService},
};

mod upload;

impl Api {
    /// Signs and opens codes and anchors, where a key is configured.
    fn ring(&self) -> Option<&KeyRing> {
        self.0.settings.codes.as_ref()
    }

    async fn on_device(
        &self,
        call: &Call,
        order: &Order<DeviceId, Command>,
    ) -> Result<Outcome<Device>, Failure> {
        let stream = streams::device(order.id)?;
        let envelope = call.envelope(order.command_id, order.expected_version);
        self.execute::<Device>(&stream, &order.command, &envelope).await
    }

    /// A command on a device of the caller's unit; of another unit's it is told nothing.
    async fn on_own_device(
        &self,
        call: &Call,
        order: &Order<DeviceId, Command>,
    ) -> Result<Outcome<Device>, Failure> {
        let folded = self.read::<Device>(&streams::device(order.id)?).await?;
        let unit = folded.state.known().map(|known| &known.unit);
        if !call.caller.is_admin() && unit != call.caller.unit.as_ref() {
            return Err(Reason::DeviceUnknown.into());
        }
        self.on_device(call, order).await
    }

    /// One that is unknown and one that is not for this caller are refused alike.
    async fn device(
        &self,
        call: &Call,
        request: &pb::GetDeviceRequest,
    ) -> Result<pb::GetDeviceResponse, Failure> {
        let (id, at_least) = convert::get(request)?;
        let folded = self.read_at::<Device>(&streams::device(id)?, at_least).await?;
        let unit = folded.state.known().map(|known| &known.unit);
        if !unit.is_some_and(|unit| call.caller.sees_workings_of(unit)) {
            return Err(Reason::DeviceUnknown.into());
        }
        convert::answer(id, &folded).ok_or_else(|| Reason::DeviceUnknown.into())
    }

    async fn anchor(
        &self,
        call: &Call,
        request: &pb::AnchorTimeRequest,
    ) -> Result<pb::AnchorTimeResponse, Failure> {
        let id = convert::anchor(request)?;
        let unit = call.unit()?;
        let folded = self.read::<Device>(&streams::device(id)?).await?;
        let known = folded.state.known().filter(|known| known.unit == unit);
        let known = known.ok_or(Reason::DeviceUnknown)?;
        // A device that is to be revoked later is still at work.
        let now = self.0.clock.now();
        if known.revoked.is_some_and(|revoked| revoked.from <= now) {
            return Err(Reason::DeviceRevoked.into());
        }
        let ring = self.ring().ok_or(Reason::CodesUnavailable)?;
        let at = now.as_millisecond();
        let anchor =
            ring.seal_anchor(&Anchor { device: id.0, at }).map_err(|error| match error {
                SealError::NoPrivateKey => Failure::from(Reason::CodesUnavailable),
                SealError::OutOfBounds(_) => Failure::fault(error),
            })?;
        let at = Timestamp::from_millisecond(at).map_err(Failure::fault)?;
        Ok(pb::AnchorTimeResponse { anchor, at: Some(common::of_timestamp(at)) })
    }
}

/// For which unit the caller has a say; none for an administrator, who has in all.
fn in_charge(call: &Call) -> Result<Option<UnitId>, Failure> {
    if call.caller.is_admin() { Ok(None) } else { call.unit().map(Some) }
}

#[tonic::async_trait]
impl DeviceService for Api {
    async fn enrol_device(
        &self,
        request: Request<pb::EnrolDeviceRequest>,
    ) -> Result<Response<pb::EnrolDeviceResponse>, Status> {
        let call = Call::of(&request)?;
        let order = convert::enrol(request.get_ref(), call.unit()?)?;
        let receipt = Some(receipt(&self.on_device(&call, &order).await?));
        let device_id = order.id.to_string();
        Ok(Response::new(pb::EnrolDeviceResponse { receipt, device_id }))
    }

    async fn revoke_device(
        &self,
        request: Request<pb::RevokeDeviceRequest>,
    ) -> Result<Response<pb::RevokeDeviceResponse>, Status> {
        let call = Call::of(&request)?;
        let order = convert::revoke(request.get_ref(), in_charge(&call)?)?;
        let receipt = Some(receipt(&self.on_own_device(&call, &order).await?));
        Ok(Response::new(pb::RevokeDeviceResponse { receipt }))
    }

    async fn release_records(
        &self,
        request: Request<pb::ReleaseRecordsRequest>,
    ) -> Result<Response<pb::ReleaseRecordsResponse>, Status> {
        let call = Call::of(&request)?;
        let order = convert::release(request.get_ref(), in_charge(&call)?)?;
        let receipt = Some(receipt(&self.on_own_device(&call, &order).await?));
        Ok(Response::new(pb::ReleaseRecordsResponse { receipt }))
    }

    async fn get_device(
        &self,
        request: Request<pb::GetDeviceRequest>,
    ) -> Result<Response<pb::GetDeviceResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.device(&call, request.get_ref()).await?))
    }

    async fn anchor_time(
        &self,
        request: Request<pb::AnchorTimeRequest>,
    ) -> Result<Response<pb::AnchorTimeResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.anchor(&call, request.get_ref()).await?))
    }

    async fn upload_records(
        &self,
        request: Request<pb::UploadRecordsRequest>,
    ) -> Result<Response<pb::UploadRecordsResponse>, Status> {
        let call = Call::of(&request)?;
        Ok(Response::new(self.upload_of_records(&call, request.get_ref()).await?))
    }
}
