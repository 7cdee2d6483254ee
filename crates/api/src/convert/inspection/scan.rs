//! Scans as they come in.

use doudi_domain::{
    CertificateNumber, FewSet, ItemId, Reference, UnitId, VisitId,
    calendar::civil_date,
    frequency::Ground,
    visits::{CheckIn, Command, Manner, Place, Plan, Proof},
};

use jiff::civil::Date;

use super::{ITEMS_MAX, OFFICERS_MAX, visit_order, words};
use crate::{
    convert::{Fields, Order, derived},
    error::{Failure, Reason},
    proto as pb, text,
};

/// A scan whose code is still to be opened.
#[derive(Debug)]
pub(crate) struct Scanned {
    pub(crate) visit: VisitId,
    pub(crate) check_in: CheckIn,
    /// The text of the code.
    pub(crate) code: String,
    /// The plan of a visit that could not wait.
    pub(crate) improvised: Option<Plan>,
}

pub(crate) fn check_in(request: &pb::CheckInRequest) -> Result<Order<Scanned>, Failure> {
    let mut fields = Fields::default();
    let officers = officers(&mut fields, &request.officers);
    let occurred_at = fields.timestamp("occurred_at", request.occurred_at.as_ref());
    let place = place(&mut fields, request.place.as_ref());
    let scan = officers.zip(occurred_at).zip(place).map(|((officers, occurred_at), place)| {
        CheckIn { officers, occurred_at, manner: Manner::Live, proof: Proof::Nothing, place }
    });
    visit_order!(request, fields, visit => visit.zip(scan).map(|(visit, check_in)| {
        Scanned { visit, check_in, code: request.code.clone(), improvised: None }
    }))
}

pub(crate) fn urgently(
    request: &pb::CheckInUrgentlyRequest,
    unit: UnitId,
    today: Date,
) -> Result<Order<Scanned>, Failure> {
    let mut fields = Fields::default();
    let command_id = fields.command_id(&request.command_id);
    let enterprise = fields.enterprise(&request.enterprise_id);
    let visit = enterprise.as_ref().zip(command_id).map(|(of, id)| derived::visit(of, id));
    let officers = officers(&mut fields, &request.officers);
    let items = fields.set("items", &request.items, (1, ITEMS_MAX), ItemId::parse);
    let evidence = fields.optional("evidence", &request.evidence, text::reference);
    let occurred_at = fields.timestamp("occurred_at", request.occurred_at.as_ref());
    let place = place(&mut fields, request.place.as_ref());
    let made = || -> Option<Scanned> {
        let (visit, officers, occurred_at) = (visit?, officers?, occurred_at?);
        let (items, evidence) = (items?, evidence?);
        let plan = Improvised { items, ground: Ground::Urgent, evidence, on_site_reason: None };
        // It counts today, whatever time a device claims.
        let plan = plan.plan(visit, unit, officers.clone(), today);
        let (manner, proof, place) = (Manner::Live, Proof::Nothing, place?);
        let check_in = CheckIn { officers, occurred_at, manner, proof, place };
        Some(Scanned { visit, check_in, code: request.code.clone(), improvised: Some(plan) })
    };
    let command = made();
    fields.order(command_id, enterprise, request.expected_version, command)
}

pub(crate) fn backfill(
    request: &pb::BackfillCheckInRequest,
    unit: UnitId,
) -> Result<Order<Command>, Failure> {
    let mut fields = Fields::default();
    let command_id = fields.command_id(&request.command_id);
    let enterprise = fields.enterprise(&request.enterprise_id);
    // A visit that nobody planned gets its id from the command.
    let visit = match &request.unplanned {
        None => fields.visit(&request.visit_id),
        Some(_) if !request.visit_id.is_empty() => {
            fields.refuse("visit_id", Reason::FieldNotAllowed)
        }
        Some(_) => enterprise.as_ref().zip(command_id).map(|(of, id)| derived::visit(of, id)),
    };
    let officers = officers(&mut fields, &request.officers);
    let occurred_at = fields.timestamp("occurred_at", request.occurred_at.as_ref());
    let reason = fields.parse("reason", &request.reason, text::reference);
    let unplanned = match &request.unplanned {
        None => Some(None),
        Some(given) => Improvised::read(&mut fields, given).map(Some),
    };
    let made = || -> Option<Command> {
        let (visit, officers, occurred_at) = (visit?, officers?, occurred_at?);
        let on = civil_date(occurred_at);
        let improvised =
            unplanned?.map(|plan| plan.plan(visit, unit.clone(), officers.clone(), on));
        let (manner, proof) = (Manner::Backfilled { reason: reason? }, Proof::Nothing);
        let check_in = CheckIn { officers, occurred_at, manner, proof, place: None };
        Some(Command::CheckIn { visit, unit, check_in, improvised })
    };
    let command = made();
    fields.order(command_id, enterprise, request.expected_version, command)
}

/// The officers who came.
fn officers(fields: &mut Fields, given: &[String]) -> Option<FewSet<CertificateNumber>> {
    fields.set("officers", given, (1, OFFICERS_MAX), CertificateNumber::parse)
}

/// What is said of a visit that nobody had planned; by whom, when and with whom the scan says.
struct Improvised {
    items: FewSet<ItemId>,
    ground: Ground,
    evidence: Option<Reference>,
    on_site_reason: Option<Reference>,
}

impl Improvised {
    fn read(fields: &mut Fields, given: &pb::UnplannedVisit) -> Option<Self> {
        let items = fields.set("unplanned.items", &given.items, (1, ITEMS_MAX), ItemId::parse);
        let ground = fields.choice("unplanned.ground", given.ground, words::ground);
        let evidence = fields.optional("unplanned.evidence", &given.evidence, text::reference);
        let reason = fields.parse("unplanned.reason", &given.reason, text::reference);
        let (items, ground, evidence) = (items?, ground?, evidence?);
        Some(Self { items, ground, evidence, on_site_reason: Some(reason?) })
    }

    fn plan(
        self,
        visit: VisitId,
        unit: UnitId,
        officers: FewSet<CertificateNumber>,
        on: Date,
    ) -> Plan {
        let Self { items, ground, evidence, on_site_reason } = self;
        Plan {
            visit,
            unit,
            officers,
            items,
            shares: [].into(),
            ground,
            evidence,
            justification: None,
            on_site_reason,
            campaign: None,
            recheck_of: None,
            on,
        }
    }
}

/// A point on the earth, where one is given.
pub(crate) fn place(fields: &mut Fields, place: Option<&pb::Place>) -> Option<Option<Place>> {
    let Some(&pb::Place { latitude_e6, longitude_e6, accuracy_m }) = place else {
        return Some(None);
    };
    let on_earth = (-90_000_000..=90_000_000).contains(&latitude_e6)
        && (-180_000_000..=180_000_000).contains(&longitude_e6)
        && accuracy_m <= 100_000;
    if !on_earth {
        return fields.refuse("place", Reason::PlaceInvalid);
    }
    Some(Some(Place { latitude_e6, longitude_e6, accuracy_m }))
}
